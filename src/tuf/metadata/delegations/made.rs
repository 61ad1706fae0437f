//! Delegations that tests make as no reader would let them pass.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::tuf::value::Value;

impl Delegations {
    /// As given, judged by nobody.
    pub(crate) fn made(
        keys: &BTreeMap<KeyId, Key>,
        roles: &[DelegatedRole],
        succinct: Option<SuccinctRoles>,
    ) -> Self {
        let strings = |texts: &[String]| Value::Array(texts.iter().map(Value::string).collect());
        let object = |role: &DelegatedRole| {
            let keyids: Vec<String> = role.role.keyids.iter().map(|it| it.0.clone()).collect();
            let mut object = Value::Object(Vec::new());
            object.set("keyids", strings(&keyids));
            object.set("name", Value::string(&role.name));
            if role.path_hash_prefixes.is_empty() {
                object.set("paths", strings(&role.paths));
            } else {
                object.set("path_hash_prefixes", strings(&role.path_hash_prefixes));
            }
            object.set("terminating", Value::Bool(role.terminating));
            object.set("threshold", Value::Integer(role.role.threshold.into()));
            object
        };
        let keys = keys
            .iter()
            .map(|(keyid, key)| (keyid.0.clone(), key.value().clone()));
        let mut delegations = Value::Object(Vec::new());
        delegations.set("keys", Value::Object(keys.collect()));
        delegations.set("roles", Value::Array(roles.iter().map(object).collect()));
        let mut signed = Value::Object(Vec::new());
        signed.set("delegations", delegations);
        let text = Arc::clone(Envelope::unsigned("made", &signed).unwrap().text());
        Self {
            names: Arc::new([true, false].map(|keys| Names::of(&text, keys, false).unwrap())),
            text,
            since: None,
            succinct,
        }
    }
    /// The same with what `change` makes of them.
    pub(crate) fn change(
        &mut self,
        change: impl FnOnce(&mut BTreeMap<KeyId, Key>, &mut Vec<DelegatedRole>),
    ) {
        let (mut keys, mut roles) = (self.keys().collect(), self.roles().collect());
        change(&mut keys, &mut roles);
        *self = Self::made(&keys, &roles, self.succinct.clone());
    }
}
