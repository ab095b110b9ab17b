//! Modules: from a URI to a session with its token.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    session::UserType,
    slot::{Slot, TokenInfo},
};
use secrecy::SecretString;

use super::{
    error::{TokenError, said},
    uri::Uri,
};
use crate::refusal::Refusal;

/// The modules and tokens of one run: each is loaded once and logged into once.
pub struct Modules {
    default: Option<PathBuf>,
    loaded: RefCell<BTreeMap<PathBuf, Pkcs11>>,
    sessions: RefCell<BTreeMap<(PathBuf, u64), Session>>,
}

/// A session with one token, logged in. It is shared: one call at a time goes through it.
#[derive(Clone)]
pub struct Session(Arc<Mutex<cryptoki::session::Session>>);

impl Modules {
    /// With the module for URIs that name none.
    pub fn new(default: Option<PathBuf>) -> Self {
        Self { default, loaded: RefCell::default(), sessions: RefCell::default() }
    }

    /// A session with the token that the URI names. `pin` is asked for its PIN, given the token's
    /// name, if it needs one and this run has not logged into it.
    ///
    /// # Errors
    /// `key.module_unusable`; whatever `pin` says.
    pub fn session(
        &self,
        uri: &Uri,
        pin: impl FnOnce(&str) -> Result<SecretString, Refusal>,
    ) -> Result<Session, Refusal> {
        let path =
            uri.module_path.as_ref().or(self.default.as_ref()).ok_or(TokenError::NoModule)?;
        let module = self.module(path)?;
        let (slot, token) = find(&module, uri)?;
        let place = (path.clone(), slot.id());
        if let Some(session) = self.sessions.borrow().get(&place) {
            return Ok(session.clone());
        }
        // Read and write: a session of the other kind could not be added to it by a keygen.
        let session = open(&module, slot, &token)?;
        log_in(&session, &token, pin)?;
        let session = Session(Arc::new(Mutex::new(session)));
        self.sessions.borrow_mut().insert(place, session.clone());
        Ok(session)
    }

    fn module(&self, path: &Path) -> Result<Pkcs11, TokenError> {
        if let Some(module) = self.loaded.borrow().get(path) {
            return Ok(module.clone());
        }
        let unusable = |error: Error| TokenError::Module { path: path.into(), said: said(&error) };
        let module = Pkcs11::new(path).map_err(unusable)?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // By another path to the same library.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(error)),
        }
        self.loaded.borrow_mut().insert(path.to_owned(), module.clone());
        Ok(module)
    }
}

impl Session {
    /// The session, for one call after another.
    pub(super) fn lock(&self) -> MutexGuard<'_, cryptoki::session::Session> {
        // A panic elsewhere leaves no state here that could be half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(module: &Pkcs11, uri: &Uri) -> Result<(Slot, TokenInfo), TokenError> {
    let failed = || TokenError::call("listing the module's tokens");
    let mut present = Vec::new();
    let mut matching = Vec::new();
    for slot in module.get_slots_with_token().map_err(failed())? {
        let token = module.get_token_info(slot).map_err(failed())?;
        if !token.token_initialized() {
            continue;
        }
        present.push(format!("token={};serial={}", token.label(), token.serial_number()));
        if matches(uri, slot, &token) {
            matching.push((slot, token));
        }
    }
    match (matching.pop(), matching.len()) {
        (Some(only), 0) => Ok(only),
        (one, others) => {
            let found = others + usize::from(one.is_some());
            Err(TokenError::Token { place: uri.place(), found, present })
        }
    }
}

fn matches(uri: &Uri, slot: Slot, token: &TokenInfo) -> bool {
    let is = |asked: &Option<String>, actual: &str| asked.as_ref().is_none_or(|it| it == actual);
    is(&uri.token, token.label())
        && is(&uri.serial, token.serial_number())
        && is(&uri.manufacturer, token.manufacturer_id())
        && is(&uri.model, token.model())
        && uri.slot_id.is_none_or(|id| id == slot.id())
}

fn open(
    module: &Pkcs11,
    slot: Slot,
    token: &TokenInfo,
) -> Result<cryptoki::session::Session, TokenError> {
    let failed = || TokenError::call(format!("opening a session with token \"{}\"", token.label()));
    if token.write_protected() {
        return module.open_ro_session(slot).map_err(failed());
    }
    module.open_rw_session(slot).map_err(failed())
}

fn log_in(
    session: &cryptoki::session::Session,
    token: &TokenInfo,
    pin: impl FnOnce(&str) -> Result<SecretString, Refusal>,
) -> Result<(), Refusal> {
    let place = format!("token \"{}\"", token.label());
    if !token.login_required() {
        return Ok(());
    }
    if token.user_pin_locked() {
        return Err(TokenError::PinLocked { place }.into());
    }
    // Such a token asks for the PIN itself, on its own keys.
    let pin = if token.protected_authentication_path() { None } else { Some(pin(&place)?) };
    match session.login(UserType::User, pin.as_ref()) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(Error::Pkcs11(
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
            _,
        )) => Err(TokenError::Pin { place }.into()),
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::PinLocked { place }.into()),
        Err(error) => Err(TokenError::call(format!("logging into {place}"))(error).into()),
    }
}
