use super::*;

const SECRET: &str = "sk-ant-canary-0123456789";

/// What the places say: two variables, the keyring, the helper.
#[derive(Clone, Default)]
struct Places {
    key: Option<&'static str>,
    token: Option<&'static str>,
    keyring: Option<Result<&'static str, &'static str>>,
    helper: Option<Result<&'static str, &'static str>>,
}

impl Places {
    async fn find(&self) -> Result<Found, KeyError> {
        let variable = |name: &str| match name {
            "ANTHROPIC_API_KEY" => self.key.map(OsString::from),
            "ANTHROPIC_AUTH_TOKEN" => self.token.map(OsString::from),
            other => panic!("{other} is not asked for"),
        };
        let keyring = async {
            self.keyring
                .map(|answer| answer.map(|key| SecretString::from(key.to_owned())))
                .transpose()
                .map_err(str::to_owned)
        };
        let helper = self.helper.map(|answer| async move {
            answer
                .map(|key| SecretString::from(key.to_owned()))
                .map_err(|reason| KeyError::Helper { reason: reason.to_owned() })
        });
        search(variable, keyring, helper).await
    }

    async fn source(&self) -> Source {
        self.find().await.unwrap().source
    }

    async fn error(&self) -> String {
        self.find().await.unwrap_err().to_string()
    }
}

#[tokio::test]
async fn the_environment_comes_before_the_keyring_and_that_before_the_helper() {
    let (keyring, helper) = (Some(Ok(SECRET)), Some(Ok(SECRET)));
    let all = Places { key: Some(SECRET), token: None, keyring, helper };
    assert_eq!(all.source().await, Source::KeyVariable);
    let token = Places { key: None, token: Some(SECRET), ..all.clone() };
    assert_eq!(token.source().await, Source::TokenVariable);
    assert!(matches!(token.find().await.unwrap().credential, Credential::Token(_)));
    assert_eq!(Places { key: None, ..all.clone() }.source().await, Source::Keyring);
    assert_eq!(Places { helper, ..Places::default() }.source().await, Source::Helper);
    // An empty variable is as good as none.
    assert_eq!(Places { key: Some(""), ..all }.source().await, Source::Keyring);
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let both = Places { key: Some(SECRET), token: Some(SECRET), ..Places::default() };
    let error = both.error().await;
    assert!(error.contains("both set") && error.contains("unset"), "{error}");
}

#[tokio::test]
async fn a_keyring_that_cannot_be_asked_is_no_obstacle_to_the_helper() {
    let keyring = Some(Err("no secret service"));
    let places = Places { keyring, helper: Some(Ok(SECRET)), ..Places::default() };
    assert_eq!(places.source().await, Source::Helper);
    let error = Places { keyring, ..Places::default() }.error().await;
    for needed in ["no secret service", "tandem key set", "ANTHROPIC_API_KEY", "ask.key_helper"] {
        assert!(error.contains(needed), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_key_is_named_by_its_place_alone() {
    for wrong in ["sk-ant-canary two", "sk-ant-canary\ntwo", "   ", "sk-ant-canary-é"] {
        let error = Places { key: Some(wrong), ..Places::default() }.error().await;
        assert!(error.contains("ANTHROPIC_API_KEY") && !error.contains("canary"), "{error}");
    }
    let found = Places { key: Some(" \tsk-ant-x\n"), ..Places::default() }.find().await.unwrap();
    assert_eq!(found.credential.secret(), "sk-ant-x");
}

#[tokio::test]
async fn a_credential_does_not_show_itself() {
    for places in [
        Places { key: Some(SECRET), ..Places::default() },
        Places { token: Some(SECRET), ..Places::default() },
    ] {
        let found = places.find().await.unwrap();
        assert_eq!(found.credential.secret(), SECRET);
        assert!(!format!("{found:?}").contains("canary"));
    }
}
