//! The parts of the cycle alone, on 10,000 projects made here. `TUF_BENCH_DATA` may name another data set:
//! `TUF_BENCH_DATA=/tmp/tuf-ceremony-bench/100000-pretty-480 cargo bench -p bench`.
#![allow(clippy::unwrap_used, missing_docs, reason = "benches")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tuf_ceremony::ceremony::review::compare::compare;
use tuf_ceremony::ceremony::review::searched::{Filter, Searched};
use tuf_ceremony::tuf::canonical;
use tuf_ceremony::tuf::diff;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::{Limits, check};
use tuf_ceremony::tuf::key::KeyId;
use tuf_ceremony::tuf::metadata::Targets;
use tuf_ceremony::tuf::verification;

const PROJECTS: usize = 10_000;

fn parse(folder: &Path, name: &str) -> Envelope {
    let bytes = fs::read(folder.join(name)).unwrap();
    Envelope::parse(name, bytes, Limits::LARGE).unwrap()
}

fn parts(criterion: &mut Criterion) {
    let made = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("TUF_BENCH_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| {
        bench::made::write(made.path(), PROJECTS).unwrap();
        made.path().to_owned()
    });
    let old = parse(&folder, "1.claimed.json");
    let new = parse(&folder, "2.claimed.unsigned.json");
    let targets = Targets::read("targets", &parse(&folder, "1.targets.json")).unwrap();
    let delegations = targets.delegations.unwrap();
    let claimed = delegations.role("claimed").unwrap().role;
    let keys = delegations.keys_of(&claimed);

    let mut group = criterion.benchmark_group("a file");
    group.measurement_time(Duration::from_secs(3));
    group.sample_size(20);
    group.throughput(Throughput::Bytes(new.bytes().len() as u64));
    let bytes = new.bytes();
    group.bench_function("strict reading", |bench| {
        bench.iter(|| check(black_box(&bytes[..]), Limits::LARGE).unwrap().kind());
    });
    group.bench_function("canonical scan", |bench| {
        bench.iter(|| canonical::is_canonical(black_box(new.signed())));
    });
    group.bench_function("canonical form", |bench| {
        bench.iter(|| canonical::to_vec(black_box(new.signed())));
    });
    group.bench_function("SHA-256", |bench| {
        bench.iter(|| Sha256::of(black_box(&bytes[..])));
    });
    group.bench_function("envelope", |bench| {
        let copy = || bytes.to_vec();
        let parse = |bytes| Envelope::parse("new", bytes, Limits::LARGE).unwrap();
        bench.iter_batched(copy, parse, criterion::BatchSize::PerIteration);
    });
    group.bench_function("typed view", |bench| {
        bench.iter(|| Targets::read("new", black_box(&new)).unwrap());
    });
    group.bench_function("verification", |bench| {
        bench.iter(|| {
            let report = verification::threshold(&old, &keys, &claimed, &[]);
            assert!(report.reached());
        });
    });
    group.bench_function("splice", |bench| {
        let keyid = KeyId("00".repeat(32));
        bench.iter(|| new.with_signature(black_box(&keyid), &[0; 71], &|_| false));
    });
    group.bench_function("difference", |bench| {
        bench.iter(|| diff::between(Some(&old), black_box(&new)).unwrap());
    });
    group.bench_function("difference by project", |bench| {
        bench.iter(|| compare(Some(&old), black_box(&new)).unwrap());
    });
    group.finish();

    // Every project of the list is an entry: the largest review there is.
    let entries = compare(None, &new).unwrap();
    let review = Searched::new(Vec::new(), entries, Vec::new());
    let mut group = criterion.benchmark_group("a review");
    group.throughput(Throughput::Elements(review.len() as u64));
    group.bench_function("first letter of a search", |bench| {
        bench.iter(|| review.hits(black_box("a"), Filter::All, None));
    });
    group.bench_function("search for what is not there", |bench| {
        bench.iter(|| review.hits(black_box("no such project"), Filter::All, None));
    });
    group.bench_function("a page of rows", |bench| {
        let last = review.len() - 50;
        bench.iter(|| {
            (last..review.len())
                .filter_map(|row| review.line(row))
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
