//! Was Claude needed? In plain words. Pure.
//!
//! In: how many files went along with each question, and how many of them its answer used. Out: one or
//! two sentences that say what to change. Refuses: to judge from fewer than [`FEW`] answers.

/// So many answers say nothing yet.
const FEW: usize = 3;
/// So many files sent say something about the size of the bundle.
const MANY_SENT: usize = 10;

/// An answer, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Files of which some text was sent.
    pub sent: usize,
    /// Files that it names or changes, sent or not.
    pub used: usize,
    /// Of those that were sent.
    pub used_of_sent: usize,
}

/// What the answers say.
pub fn verdict(answers: &[Answer]) -> String {
    let all = answers.len();
    let single = answers.iter().filter(|answer| answer.used == 1).count();
    let several = answers.iter().filter(|answer| answer.used > 1).count();
    let first = if all == 0 {
        return "Claude has not answered anything yet.".to_owned();
    } else if all < FEW {
        let answers = if all == 1 { "1 answer is" } else { "2 answers are" };
        return format!("{answers} too few to say whether Claude was needed.");
    } else if single + several == 0 {
        format!("None of {all} answers names a file: they may do without any, or without Claude.")
    } else if single * 2 >= all {
        format!(
            "{single} of {all} answers used a single file: the local model or a smaller bundle may do."
        )
    } else if several * 2 >= all {
        format!("{several} of {all} answers used several files: that is what Claude is for.")
    } else {
        let none = all - single - several;
        format!(
            "Of {all} answers, {several} used several files, {single} a single one, {none} none."
        )
    };
    let sent: usize = answers.iter().map(|answer| answer.sent).sum();
    let used: usize = answers.iter().map(|answer| answer.used_of_sent).sum();
    if sent >= MANY_SENT && used * 4 < sent {
        format!(
            "{first} Of {sent} files sent, {used} were used: a lower ask.bundle_tokens costs less."
        )
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Each answer as how many files were sent and how many of them used.
    fn check(answers: &[(usize, usize)], expect: Expect) {
        let answer = |(sent, used): &(usize, usize)| Answer {
            sent: *sent,
            used: *used,
            used_of_sent: *used.min(sent),
        };
        expect.assert_eq(&verdict(&answers.iter().map(answer).collect::<Vec<_>>()));
    }

    #[test]
    fn without_answers_there_is_nothing_to_say() {
        check(&[], expect!["Claude has not answered anything yet."]);
    }

    #[test]
    fn few_answers_say_nothing() {
        check(&[(9, 1)], expect!["1 answer is too few to say whether Claude was needed."]);
        check(
            &[(9, 1), (9, 2)],
            expect!["2 answers are too few to say whether Claude was needed."],
        );
    }

    #[test]
    fn answers_that_use_a_single_file_do_not_need_claude() {
        check(
            &[(3, 1), (3, 1), (2, 1), (1, 1), (2, 1), (1, 1), (1, 1), (3, 2), (4, 3)],
            expect![
                "7 of 9 answers used a single file: the local model or a smaller bundle may do."
            ],
        );
    }

    #[test]
    fn answers_that_use_several_files_do() {
        check(
            &[(5, 3), (4, 2), (1, 1)],
            expect!["2 of 3 answers used several files: that is what Claude is for."],
        );
    }

    #[test]
    fn answers_that_name_no_file_are_said_to() {
        check(
            &[(2, 0), (1, 0), (0, 0)],
            expect!["None of 3 answers names a file: they may do without any, or without Claude."],
        );
        check(
            &[(2, 0), (1, 1), (2, 2)],
            expect!["Of 3 answers, 1 used several files, 1 a single one, 1 none."],
        );
    }

    #[test]
    fn files_sent_in_vain_are_counted() {
        check(
            &[(20, 3), (20, 2), (0, 2)],
            expect![
                "3 of 3 answers used several files: that is what Claude is for. Of 40 files sent, 5 were used: a lower ask.bundle_tokens costs less."
            ],
        );
    }
}
