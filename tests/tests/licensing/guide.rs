//! Guide: every line that the air-gapped site's guide tells its reader to type, typed.

use std::fs;

use farhold_contract::Code;
use farhold_tests::{
    binaries::project,
    site::{Document, Ran, Site, Vendor},
};

/// Lines of `farhold` in the guide's blocks for a shell, in their order.
fn typed() -> Vec<String> {
    let guide = fs::read_to_string(project().join("docs/guide/air-gapped-site.md")).unwrap();
    let blocks = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("farhold "));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_line_of_the_air_gapped_guide_does_what_it_says() {
    let vendor = Vendor::new();
    let site = Site::planned(&vendor, |plan| plan.without_tcp());
    let carried = |document: &Document, name: &str| {
        fs::copy(document.path(), site.path(name)).unwrap();
    };
    carried(&vendor.root(), "root.1.json");
    let mut previewed = String::new();
    let mut license = String::new();
    let lines = typed();
    for line in &lines {
        // What the guide's reader has from the vendor, from the line before, from `license show`.
        let mut line = line
            .replace(" HASH", &format!(" {}", vendor.root_sha256()))
            .replace(" SHA256", &format!(" {previewed}"))
            .replace(" LICENSE_ID", &format!(" {license}"));
        if line.contains("--release ") {
            // Who sits at a terminal is asked.
            line.push_str(" --yes");
        }
        // A part that this very machine has.
        line = line.replace("--without eth0", "--without machine_id");
        if line == "import acme-sur.2.bundle" {
            carried(
                &vendor.receipt(&Document::at(site.path("2026-11.export"))),
                "acme-sur.2.bundle",
            );
        }
        let words = line.replace("\"Campus courses\"", "Campus");
        let ran = Ran::command(site.command(words.split(' ')).env("NO_COLOR", "1"));
        if line == "check" {
            // "Everything but `license-in-force` should be well."
            assert_eq!(ran.exit, i32::from(Code::CheckFailed.exit().code()), "{}", ran.stdout);
            assert!(ran.stderr.contains("failed: license-in-force ("), "{}", ran.stderr);
            continue;
        }
        let missing = line.contains("machine_id") && ran.stderr.contains("no component");
        assert!(ran.exit == 0 || missing, "farhold {line}\n{}{}", ran.stdout, ran.stderr);
        if line.starts_with("request --out") {
            let template = vendor.template(|l| l.feature("export"));
            let words = format!("--template {} --new-id --bind device", template.path().display());
            let request = site.path(line.split(' ').next_back().unwrap());
            // The reader goes on to make others: what is answered is a license all the same.
            let answer = vendor.answers(&request, &words).done();
            license = answer.payload()["license_id"].as_str().unwrap().to_owned();
            carried(&answer, "acme-sur.bundle");
        } else if line.ends_with("--dry-run") {
            let told = site.verb(line.split(' ')).done();
            previewed = told["bundle_sha256"].as_str().unwrap().to_owned();
            assert!(ran.stdout.contains(&previewed), "{}", ran.stdout);
        }
    }
    for verb in ["config check", "trust install", "request", "import", "export", "license what-if"]
    {
        assert!(lines.iter().any(|line| line.starts_with(verb)), "{verb} is not in the guide");
    }
    assert_eq!(site.licenses()[0]["phase"], "not_admitted", "given up in the last line");
}
