//! A server that the release binaries trust, for nothing but this measuring: their copies here have this
//! authority in the place of one of AWS's five roots, which they carry as text. So what is measured is
//! what is deployed, its handshakes included. The chain is ECDSA on P-256: leaf, intermediate, root.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

use crate::Error;

/// AWS's roots, as they are compiled in.
const ROOTS: &str = include_str!("../../../shared/aws/src/roots.pem");

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The authority, and the server that it vouches for.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, Error> {
        let authority = |name| {
            let mut params = CertificateParams::new(Vec::new())?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Ok::<_, rcgen::Error>(params)
        };
        let root = CertifiedIssuer::self_signed(authority("root")?, KeyPair::generate()?)?;
        let between =
            CertifiedIssuer::signed_by(authority("intermediate")?, KeyPair::generate()?, &root)?;
        let key = KeyPair::generate()?;
        let leaf =
            CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &between)?;
        let chain = vec![leaf.into(), between.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let text = STANDARD.encode(root.der());
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let pem = format!("{BEGIN}\n{}\n{END}", lines.join("\n"));
        Ok(Self { pem, server: Arc::new(server) })
    }

    /// Copies a binary, which then trusts this authority; one that trusts nobody stays as it is.
    pub(crate) fn teach(&self, binary: &Path, copy: &Path) -> Result<(), Error> {
        let mut bytes =
            fs::read(binary).map_err(|error| format!("{}: {error}", binary.display()))?;
        let begins = ROOTS.find(BEGIN).unwrap_or_default();
        let ends = ROOTS.find(END).unwrap_or_default() + END.len();
        let root = &ROOTS.as_bytes()[begins..ends];
        let ours = self.pem.as_bytes();
        let places: Vec<_> = (0..bytes.len())
            .filter(|at| bytes[*at] == root[0] && bytes[*at..].starts_with(root))
            .collect();
        for at in places {
            let place = bytes.get_mut(at..at + root.len()).ok_or("a root that ends early")?;
            place.fill(b'\n');
            place.get_mut(..ours.len()).ok_or("our root is too long")?.copy_from_slice(ours);
        }
        fs::write(copy, bytes)?;
        fs::set_permissions(copy, fs::metadata(binary)?.permissions())?;
        Ok(())
    }
}
