# What there is to do here: `just` lists it. `just` itself: `pip install rust-just`, or read the lines.

_:
    @just --list --unsorted

# Everything but the tests, as continuous integration asks it
check:
    .ci/run format clippy doc deny drift packaging

# Every test
test:
    cargo test --workspace

# The whole story on the real binaries, in under a minute once they are built
demo:
    cargo demo

# Every figure beside its peer or its limit; parts: checks, events, verification, sizes, footprint, managed, cold, drain, fleet, activate, issue
bench *parts: peers
    cargo run --quiet --release --package farhold-tests --bin bench -- {{parts}}

# What the benches compare with; one that can't be had is left out
[private]
peers:
    -@which wrk redis-server minisign openssl > /dev/null || (apt-get update -qq && apt-get install -qq -y --no-install-recommends wrk redis-server minisign openssl file)
    -@test -d target/peers/node_modules/@cerbos || npm install --silent --no-audit --no-fund --prefix target/peers @cerbos/cerbos-linux-x64

# The properties for as long as it takes, a thousand kills at random moments under load, ten million records waiting
soak cases="50000" rounds="1000":
    PROPTEST_CASES={{cases}} cargo test --release --package farhold-policy --package farhold-audit --package farhold-bundle
    FARHOLD_ROUNDS={{rounds}} cargo test --package farhold-tests --test kill_nine -- --nocapture
    FARHOLD_BACKLOG=10000000 cargo test --package farhold-tests --test queue a_million -- --nocapture

# Hostile bytes for everything that reads them: each target its share of so many seconds
fuzz seconds="3600":
    fuzz/run {{seconds}}

# The Debian packages, and with `just package --image` the container images, in target/packages
package *options:
    packaging/build {{options}}

# The agent on an emulated machine whose clock says 1970, jumps ahead and back, and ends a license
clock:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target x86_64-unknown-linux-gnu --package farhold-agent
    cargo build --release --locked --package license-tool
    packaging/try/clock

# Format everything
fmt:
    cargo fmt --all
