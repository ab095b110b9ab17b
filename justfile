# What there is to do here: `just` lists it. `just` itself: `pip install rust-just`, or read the lines.

_:
    @just --list --unsorted

# Everything but the tests, as continuous integration asks it
check:
    .ci/run format clippy doc deny drift

# Every test
test:
    cargo test --workspace

# The whole story on the real binaries, in under a minute once they are built
demo:
    cargo demo

# The properties, for as long as it takes
soak cases="50000":
    PROPTEST_CASES={{cases}} cargo test --release --package farhold-policy --package farhold-audit --package farhold-bundle

# Format everything
fmt:
    cargo fmt --all
