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
    /// What of that is warm-up; a twelfth, and five minutes at most, where it is not said.
    #[arg(long)]
    pub warm_up: Option<f64>,
    /// Where the samples and the plot go.
    #[arg(long, default_value = "target/soak")]
    pub out: PathBuf,
    /// cargo passes this.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn read() -> Result<Options, String> {
        let mut options = Options::try_parse().map_err(|error| error.to_string())?;
        if options.minutes.is_nan() || options.minutes < 1.0 {
            return Err("less than a minute says nothing".to_owned());
        }
        options.warm_up.get_or_insert((options.minutes / 12.0).min(5.0));
        Ok(options)
    }

    /// Of the warm-up, s.
    pub fn warm_s(&self) -> f64 {
        self.warm_up.unwrap_or(0.0) * 60.0
    }

    /// Of each of the two parts that are compared: ten minutes, less in a short run, s.
    pub fn part_s(&self) -> f64 {
        ((self.minutes * 60.0 - self.warm_s()) / 3.0).min(600.0)
    }
}
