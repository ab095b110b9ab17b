//! Program: a binary with verbs, from its command line to its exit code.

use std::{error::Error, process::ExitCode};

use clap::Parser;

use farhold_contract::exit::Exit;

use crate::{
    stderr,
    stdout::{self, ReaderGone},
    told::{AlreadyTold, Known, Told},
    usage::{Unparsed, asks_for_json},
};

/// A binary with verbs; its flags include `--json`.
pub trait Program: Parser {
    /// Whether a program reads the answer.
    fn json(&self) -> bool;

    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever went wrong: [`main`] tells it.
    fn act(self) -> anyhow::Result<()>;

    /// What it knows of an error of its own; [`Failure`](crate::Failure) needs nobody to know it.
    fn known(error: &(dyn Error + 'static)) -> Option<Known>;
}

/// The whole program: parse, do, end.
pub fn main<P: Program>() -> ExitCode {
    match P::try_parse() {
        Ok(program) => {
            let json = program.json();
            ended::<P>(program.act(), json)
        }
        Err(error) => not_parsed::<P>(&error),
    }
}

fn not_parsed<P: Program>(error: &clap::Error) -> ExitCode {
    let json = asks_for_json();
    match Unparsed::of(error, P::command().get_name()) {
        Unparsed::Asked(help) => ended::<P>(stdout::write(help.as_bytes()), json),
        Unparsed::Mistake { told, help } => {
            if let Some(help) = help.filter(|_| !json) {
                stderr::write(format!("{help}\n"));
            }
            refused(&told, json)
        }
    }
}

fn ended<P: Program>(result: anyhow::Result<()>, json: bool) -> ExitCode {
    match result {
        Ok(()) => Exit::Ok.code().into(),
        Err(error) if error.is::<ReaderGone>() => Exit::Ok.code().into(),
        Err(error) => match error.downcast_ref::<AlreadyTold>() {
            Some(AlreadyTold(code)) => code.exit().code().into(),
            None => refused(&Told::of(&error, P::known), json),
        },
    }
}

/// A program reads one JSON value on standard output, whatever happens; people read standard error.
fn refused(told: &Told, json: bool) -> ExitCode {
    if json {
        // Nothing is left to be done where the last words can't be written.
        let _ = stdout::json(told);
    } else {
        stderr::write(told.lines());
    }
    told.code.exit().code().into()
}
