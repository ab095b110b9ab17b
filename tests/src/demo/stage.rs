//! The stage: what is said, and how commands are shown.

use std::{
    cell::Cell,
    io::{IsTerminal, Write, stdout},
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// Tells the story on standard output.
pub(super) struct Stage {
    color: bool,
    steps: Cell<u32>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let color = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { color, steps: Cell::new(0) }
    }

    pub(super) fn step(&self, title: &str) {
        self.steps.set(self.steps.get() + 1);
        self.line(&format!("\n{}", self.paint("1;36", &format!("{}. {title}", self.steps.get()))));
    }

    pub(super) fn chapter(&self, title: &str) {
        self.line(&format!("\n{}", self.paint("1;35", &format!("── {title}"))));
    }

    pub(super) fn say(&self, text: &str) {
        self.line(&format!("   {text}"));
    }

    pub(super) fn aside(&self, text: &str) {
        self.line(&self.paint("2", &format!("   {text}")));
    }

    /// An answer, with whether it is the expected one.
    pub(super) fn answer(&self, text: &str) {
        self.line(&format!("   {} {text}", self.paint("32", "✓")));
    }

    pub(super) fn done(&self, took: Duration) {
        let text = format!("\nAll of it as it should be, in {:.1} s.", took.as_secs_f64());
        self.line(&self.paint("1;32", &text));
    }

    /// Runs a command in a folder and shows it as a person would have typed it.
    pub(super) fn run(&self, folder: &Path, program: &Path, arguments: &[&str]) -> Result<Output> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        self.show(&name, arguments);
        let output = Command::new(program)
            .current_dir(folder)
            .args(arguments)
            .env("NO_COLOR", "1")
            .env_remove("FARHOLD_BIN_DIR")
            .output()
            .with_context(|| format!("{name} can't be started"))?;
        Ok(output)
    }

    /// Runs a command that must succeed and shows nothing: it is asked again and again.
    pub(super) fn run_unseen(
        &self,
        folder: &Path,
        program: &Path,
        arguments: &[&str],
    ) -> Result<String> {
        let output = Command::new(program)
            .current_dir(folder)
            .args(arguments)
            .env_remove("FARHOLD_BIN_DIR")
            .output()?;
        if !output.status.success() {
            bail!(
                "{} ended with {}: {}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stdout).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The same, where it must succeed; shows the first lines of what it printed.
    pub(super) fn run_well(
        &self,
        folder: &Path,
        program: &Path,
        arguments: &[&str],
        lines: usize,
    ) -> Result<String> {
        let output = self.run(folder, program, arguments)?;
        if !output.status.success() {
            bail!(
                "{} ended with {}: {}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(lines) {
            self.aside(&format!("  {line}"));
        }
        Ok(text)
    }

    pub(super) fn show(&self, name: &str, arguments: &[&str]) {
        let shown: Vec<&str> =
            arguments.iter().copied().filter(|argument| *argument != "--json").collect();
        self.line(&format!("   {} {name} {}", self.paint("33", "$"), shown.join(" ")));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        // Whoever closed the pipe has seen enough; the story still runs to its end.
        let _ = writeln!(stdout(), "{text}");
    }
}
