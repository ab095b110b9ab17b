//! Token signer: a private key that stays in its token.

use cryptoki::{
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::ObjectHandle,
};

use farhold_bundle::{PublicKey, Signer, Unsigned};

use super::{
    error::{TokenError, said},
    module::Session,
};

/// A key in a token. Every signature it gives has been verified under its public half.
pub struct TokenSigner {
    session: Session,
    key: ObjectHandle,
    public: PublicKey,
}

impl TokenSigner {
    /// What is signed to see that the two halves belong together; no document begins like it.
    const PROOF: &[u8] = b"farhold: do the two halves of this key belong together?";

    pub(super) fn new(
        session: Session,
        key: ObjectHandle,
        public: PublicKey,
        name: String,
    ) -> Result<Self, TokenError> {
        let signer = Self { session, key, public };
        match signer.sign(Self::PROOF) {
            Ok(_) => Ok(signer),
            Err(unsigned) => Err(TokenError::Call {
                what: format!("a first signature by {name}"),
                said: unsigned.why,
            }),
        }
    }
}

impl Signer for TokenSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Unsigned> {
        let unsigned = |why: String| Unsigned { key: self.public.id(), why };
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signature = self
            .session
            .lock()
            .sign(&mechanism, self.key, message)
            .map_err(|error| unsigned(said(&error)))?;
        let signature: [u8; 64] = signature.try_into().map_err(|other: Vec<u8>| {
            unsigned(format!("the token gave {} bytes instead of 64", other.len()))
        })?;
        if !self.public.verifies(message, &signature) {
            let why = "what the token gave does not hold under the public half it shows";
            return Err(unsigned(why.to_owned()));
        }
        Ok(signature)
    }
}
