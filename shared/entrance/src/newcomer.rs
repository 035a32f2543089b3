use std::collections::BTreeMap;

use accounts::NewAccount;
use domain::{Email, Profile, sync::Rule};

use crate::Entrance;

impl Entrance {
    /// Whether Amazon told all that the site needs of a newcomer: an address, and a fitting value for
    /// every required field.
    pub fn is_complete(&self, customer: &Profile) -> bool {
        let known = self.known(customer);
        let needed = |name: &String| known.contains_key(name);
        let mut required = self.fields.iter().filter(|field| field.required);
        customer.email.is_some() && required.all(|field| needed(&field.name))
    }

    /// What Amazon told that fits into the site's fields, by name.
    pub fn known(&self, customer: &Profile) -> BTreeMap<String, String> {
        let known = self.fields.iter().filter_map(|field| {
            let value = field.known(customer)?;
            web::check_field(field, value).is_ok().then(|| (field.name.clone(), value.to_owned()))
        });
        known.collect()
    }

    /// The account of a newcomer: the fields that the site asks for, and beyond them what of Amazon's
    /// data may be copied. A field that was left empty stays so.
    pub fn newcomer(
        &self,
        customer: &Profile,
        email: Option<Email>,
        mut values: BTreeMap<String, String>,
    ) -> NewAccount {
        let asked = |name: &str| self.fields.iter().any(|field| field.name == name);
        let mut take = |name: &str, rule: Rule, told: &Option<String>| {
            if asked(name) {
                return values.remove(name).filter(|value| !value.is_empty());
            }
            told.clone().filter(|_| rule != Rule::Never)
        };
        let name = take("name", self.sync.name, &customer.name);
        let postal_code = take("postal_code", self.sync.postal_code, &customer.postal_code);
        // Agreed to and left: a consent that was not given is none.
        let consent = |name: &str| {
            let field = self.fields.iter().find(|field| field.name == name);
            field.is_some_and(|field| field.consent.is_some())
        };
        let (consents, fields) =
            values.into_iter().partition::<Vec<_>, _>(|(name, _)| consent(name));
        let consents = consents.into_iter().filter(|(_, version)| !version.is_empty()).collect();
        NewAccount { email, name, postal_code, fields, consents }
    }
}
