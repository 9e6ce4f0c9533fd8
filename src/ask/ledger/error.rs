//! Why money is not spent, as sentences that say what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::ask::price::Money;

/// What can go wrong with the ledger. Nothing is sent then.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The user has no home folder.
    #[error(
        "there is no folder to write down in what Claude costs, and without that nothing is sent; set \
         TANDEM_DATA_DIR to one"
    )]
    NoFolder,
    /// A full disk, a folder of somebody else's, a link where the file should be.
    #[error(
        "what Claude costs cannot be written down in {}: {source}. Until it can be, nothing is sent; \
         make room or the folder writable, or set TANDEM_DATA_DIR to another one", .path.display()
    )]
    Io { path: PathBuf, source: io::Error },
    /// Somebody holds the lock: stopped, or on a disk that hangs.
    #[error(
        "another tandem holds {} and does not let go, so that nothing is sent; end it (it may be \
         stopped), then try again", .path.display()
    )]
    Busy { path: PathBuf },
    /// It would cost too much.
    #[error("{0}")]
    Budget(Refusal),
}

/// A budget that does not allow a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub budget: Budget,
    /// What it allows in all.
    pub limit: Money,
    /// What of it is left.
    pub left: Money,
    /// What the request may cost.
    pub needed: Money,
    /// Lines of the ledger that could not be read, each counted as a whole request, and where they are.
    pub broken: Option<(usize, PathBuf)>,
}

/// Which budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    Request,
    Day,
    Month,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = dollars(self.needed);
        let (limit, left) = (dollars(self.limit), dollars(self.left));
        match self.budget {
            Budget::Request => write!(
                f,
                "this may cost up to {needed}, and ask.budget.request_dollars allows {limit}; ask with \
                 fewer files or a cheaper model, or raise it in config.toml"
            )?,
            Budget::Day => write!(
                f,
                "this may cost up to {needed}, and {left} of today's {limit} are left; wait for tomorrow, \
                 ask with fewer files or a cheaper model, or raise ask.budget.day_dollars in config.toml"
            )?,
            Budget::Month => write!(
                f,
                "this may cost up to {needed}, and {left} of this month's {limit} are left; ask with fewer \
                 files or a cheaper model, or raise ask.budget.month_dollars in config.toml"
            )?,
        }
        match &self.broken {
            Some((lines, path)) => write!(
                f,
                ". {lines} lines of {} cannot be read, and each counts as a whole request; repair or remove \
                 them if you know better",
                path.display()
            ),
            None => Ok(()),
        }
    }
}

/// Money for a person: cents, and below ten cents hundredths of one.
pub fn dollars(money: Money) -> String {
    /// A hundredth of a cent.
    const FINEST: u64 = 100_000;
    let finest = money.0 / FINEST + u64::from(money.0 % FINEST >= FINEST / 2);
    if finest == 0 && money.0 > 0 {
        return "less than $0.0001".to_owned();
    }
    if finest < 1_000 && !finest.is_multiple_of(100) {
        return format!("$0.{finest:04}");
    }
    let cents = finest / 100 + u64::from(finest % 100 >= 50);
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENT: u64 = 10_000_000;

    #[test]
    fn money_is_written_in_cents_and_small_sums_more_finely() {
        let written = [0, 1, CENT / 100, CENT / 2, 5 * CENT, 999 * CENT / 100, 123_456 * CENT];
        let written = written.map(|money| dollars(Money(money)));
        let expect =
            ["$0.00", "less than $0.0001", "$0.0001", "$0.0050", "$0.05", "$0.0999", "$1234.56"];
        assert_eq!(written, expect);
        assert_eq!(dollars(Money(1_005 * CENT / 100 + CENT / 2)), "$0.11");
        assert_eq!(dollars(Money(u64::MAX)), "$18446744073.71");
    }

    #[test]
    fn a_refusal_says_how_much_is_left_and_what_to_change() {
        let (limit, left) = (Money(500 * CENT), Money(12 * CENT));
        let needed = Money(40 * CENT);
        let say = |budget, broken| Refusal { budget, limit, left, needed, broken }.to_string();
        expect_test::expect!["this may cost up to $0.40, and ask.budget.request_dollars allows $5.00; ask with fewer files or a cheaper model, or raise it in config.toml"].assert_eq(&say(Budget::Request, None));
        expect_test::expect!["this may cost up to $0.40, and $0.12 of today's $5.00 are left; wait for tomorrow, ask with fewer files or a cheaper model, or raise ask.budget.day_dollars in config.toml"].assert_eq(&say(Budget::Day, None));
        expect_test::expect!["this may cost up to $0.40, and $0.12 of this month's $5.00 are left; ask with fewer files or a cheaper model, or raise ask.budget.month_dollars in config.toml. 2 lines of ledger.jsonl cannot be read, and each counts as a whole request; repair or remove them if you know better"].assert_eq(&say(Budget::Month, Some((2, "ledger.jsonl".into()))));
    }
}
