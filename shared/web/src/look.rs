use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../templates/style.css");
/// The button's colour where the site names none.
const BLUE: Color = Color([0x25, 0x63, 0xeb]);
const WHITE: Color = Color([0xff; 3]);
const BLACK: Color = Color([0; 3]);
/// What the button lies on, light and dark: `--card` in the style.
const CARDS: [Color; 2] = [WHITE, Color([0x1b, 0x1e, 0x25])];

/// How the pages look: the site's name, logo and colour.
#[derive(Clone, Debug)]
pub struct Look {
    /// What the site calls itself.
    pub name: String,
    /// The path of its logo, on its own origin.
    pub logo_path: Option<String>,
    style: String,
    style_source: String,
}

impl Look {
    /// The look of the site of that name, with its logo, and with buttons in its colour (`#rrggbb`).
    pub fn new(name: &str, logo_path: Option<&str>, color: Option<&str>) -> Self {
        let button = color.and_then(Color::parse).unwrap_or(BLUE);
        let [light, dark] = CARDS.map(|card| button.edge_on(card).hex());
        let style = format!(
            ":root{{--button:{};--on-button:{};--edge-light:{light};--edge-dark:{dark}}}\n{STYLE}",
            button.hex(),
            button.text().hex(),
        );
        let style_source = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(&style)));
        Self { name: name.to_owned(), logo_path: logo_path.map(str::to_owned), style, style_source }
    }

    /// The one style of every page.
    pub fn style(&self) -> &str {
        &self.style
    }

    /// The style's hash as a source for CSP's `style-src`.
    pub fn style_source(&self) -> &str {
        &self.style_source
    }
}

#[derive(Clone, Copy)]
struct Color([u8; 3]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let digits = digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(digits)?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// White, or black where white would be hard to read on this colour (WCAG 2.2, 1.4.3).
    fn text(self) -> Self {
        if self.contrast(WHITE) >= 4.5 { WHITE } else { BLACK }
    }

    /// The button's edge: its own colour, or one that stands out where the button would not (1.4.11).
    fn edge_on(self, card: Self) -> Self {
        if self.contrast(card) >= 3.0 { self } else { card.text() }
    }

    /// From 1 to 21, as WCAG 2.2 defines it.
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_of_a_site_makes_a_button_that_can_be_read_and_seen() {
        let steps = (0..=255).step_by(15);
        for (red, green, blue) in steps.clone().flat_map(|r| {
            let steps = steps.clone();
            steps.clone().flat_map(move |g| steps.clone().map(move |b| (r, g, b)))
        }) {
            let button = Color([red, green, blue]);
            assert!(button.contrast(button.text()) >= 4.5, "{}", button.hex());
            for card in CARDS {
                assert!(button.edge_on(card).contrast(card) >= 3.0, "{}", button.hex());
            }
        }
        assert_eq!(Color([0x76; 3]).text().hex(), "#ffffff");
        assert_eq!(Color([0x77; 3]).text().hex(), "#000000");
    }

    #[test]
    fn the_style_has_the_sites_colour_and_nothing_else_of_what_it_says() {
        let styled = |color| Look::new("Shop", None, color).style().to_owned();
        assert!(styled(Some("#FF9900")).starts_with(":root{--button:#ff9900;--on-button:#000000;"));
        for not_a_color in
            ["", "red", "#12345", "#1234567", "#+12345", "#12345;", "#ÄÖÜ", "}*{x:y}"]
        {
            assert_eq!(styled(Some(not_a_color)), styled(None), "{not_a_color}");
        }
    }

    #[test]
    fn the_cards_of_the_style_are_those_that_buttons_are_seen_on() {
        for card in CARDS {
            assert!(STYLE.contains(&format!("--card: {};", card.hex())), "{}", card.hex());
        }
    }

    #[test]
    fn the_hash_is_that_of_the_style() {
        let look = Look::new("Shop", None, Some("#146eb4"));
        let hash = STANDARD.encode(Sha256::digest(look.style()));
        assert_eq!(look.style_source(), format!("'sha256-{hash}'"));
        assert_ne!(look.style_source(), Look::new("Shop", None, None).style_source());
    }
}
