use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// How a text could be found where it should not be: as it is, escaped, encoded.
pub fn shapes(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let url: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut shapes =
        vec![secret.to_owned(), json.trim_matches('"').to_owned(), url.replace('+', "%20"), url];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        shapes.push(engine.encode(secret));
    }
    shapes.push(STANDARD.encode(secret));
    shapes.push(secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    // In the middle of something longer the letters shift: what does not depend on the neighbours.
    for shift in 1..3 {
        let shifted =
            STANDARD_NO_PAD.encode([" ".repeat(shift).as_bytes(), secret.as_bytes()].concat());
        if shifted.len() > 16 {
            shapes.push(shifted[4..shifted.len() - 4].to_owned());
        }
    }
    shapes.sort();
    shapes.dedup();
    shapes
}
