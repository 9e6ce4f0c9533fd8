//! The command line. In: arguments. Out: values, or a sentence.

use std::path::PathBuf;

use clap::Parser;

/// An hour of typing, and what it leaves behind.
#[derive(Parser)]
#[command(name = "soak")]
pub struct Options {
    /// How long.
    #[arg(long, default_value_t = 60.0)]
    pub minutes: f64,
    /// Where the samples and the plot go.
    #[arg(long, default_value = "target/soak")]
    pub out: PathBuf,
    /// cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn read() -> Result<Options, String> {
        let options = Options::try_parse().map_err(|error| error.to_string())?;
        if options.minutes.is_nan() || options.minutes < 1.0 {
            return Err("less than a minute says nothing".to_owned());
        }
        Ok(options)
    }

    /// From one time that all begin anew to the next, s: twelve times in a run.
    pub fn cycle_s(&self) -> f64 {
        self.minutes * 60.0 / 12.0
    }
}
