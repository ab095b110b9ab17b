//! Chain: an error with the reasons behind it.

use std::{error::Error, fmt};

/// An error with the reasons behind it, on one line: printed once, where it is handled.
pub fn error_chain<'e>(error: &'e (dyn Error + 'static)) -> impl fmt::Display + 'e {
    struct Chain<'e>(&'e (dyn Error + 'static));
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            let mut source = self.0.source();
            while let Some(reason) = source {
                write!(f, ": {reason}")?;
                source = reason.source();
            }
            Ok(())
        }
    }
    Chain(error)
}
