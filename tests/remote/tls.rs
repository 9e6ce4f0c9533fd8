//! Encrypted: certificates of an authority of one's own, and those that nobody vouches for.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tandem::engine::Engine;
use tandem::engine::remote::{Options, RemoteEngine};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::stand_in::{Script, StandIn};
use super::{MODEL, failure, request, whole};

/// Puts TLS before a stand-in: where that is, and the certificate that vouches for it, as PEM.
async fn before(house: &StandIn) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let behind = house.address.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let mut front = acceptor.accept(stream).await?;
                let mut back = TcpStream::connect(behind).await?;
                tokio::io::copy_bidirectional(&mut front, &mut back).await
            });
        }
    });
    (format!("https://localhost:{port}"), made.cert.pem())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let (address, pem) = before(&house).await;
    let certificates = Some(pem.into_bytes());
    let options = Options { addresses: vec![address], certificates, ..Options::default() };
    let engine = RemoteEngine::new(&options, None).expect("an engine");
    let (text, end) = whole(engine.complete(request(""))).await;
    end.expect("an answer");
    assert_eq!(text, " let");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_state_and_gets_no_code() {
    let house = StandIn::new(MODEL, "vllm", Script::Says(vec![" let"])).await;
    let (address, _) = before(&house).await;
    let options = Options { addresses: vec![address], ..Options::default() };
    let why = failure(&RemoteEngine::new(&options, None).expect("an engine")).await;
    assert!(why.contains("certificate"), "{why}");
    assert!(house.completions().is_empty());
}

#[test]
fn a_file_without_certificates_is_refused() {
    let addresses = vec!["https://localhost:1".to_owned()];
    for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END"] {
        let certificates = Some(pem.to_vec());
        let options = Options { addresses: addresses.clone(), certificates, ..Options::default() };
        let refused = RemoteEngine::new(&options, None).err().expect("a refusal");
        assert!(refused.contains("remote.ca_file"), "{refused}");
    }
}
