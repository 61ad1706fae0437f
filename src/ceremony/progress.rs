//! The state machine: a pure fold of events. What cannot happen next is an [`IllegalTransition`], in a live ceremony, in a resumed one and in a
//! transcript that a stranger checks.
