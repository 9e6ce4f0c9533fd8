//! Plots as SVG that stands in a page. Pure.
//!
//! In: values under labels. Out: an `svg` element without scripts, fonts or addresses, in colours that a
//! stylesheet can replace by name. Refuses: nothing; what cannot be drawn is no plot.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Units of the picture, so that its letters can be read on a phone's width too.
const SIZE: (u32, u32) = (480, 240);
/// In the same units, of which the library takes a fifth off.
const LETTERS: u32 = 16;

/// Colours, as a stylesheet finds them: of letters, of lines behind, of the first, second and third values.
pub const INK: RGBColor = RGBColor(0x33, 0x3a, 0x42);
pub const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
pub const FIRST: RGBColor = RGBColor(0x9e, 0xc5, 0xf4);
pub const SECOND: RGBColor = RGBColor(0x1b, 0x63, 0xc4);
pub const THIRD: RGBColor = RGBColor(0xc9, 0x6a, 0x12);

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The second values in front of the first.
    Bars,
    Lines,
}

/// A plot of one to three rows of values, each as long as the labels; `None` where there is nothing to
/// draw. `about` is what is read to those who cannot see it.
pub fn plot(
    form: Form,
    about: &str,
    labels: &[String],
    rows: &[Vec<f64>],
    unit: &dyn Fn(f64) -> String,
) -> Option<String> {
    let highest = rows.iter().flatten().copied().fold(0.0, f64::max);
    if labels.is_empty() || !highest.is_finite() || highest <= 0.0 {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, form, labels, rows, highest * 1.05, unit).ok()?;
    // Within a page it needs no name space, and its width is the page's.
    let from = svg.find("<svg")?;
    let inner = &svg[from + svg[from..].find('>')? + 1..];
    let (width, height) = SIZE;
    let about = super::html::escape(about);
    Some(format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{about}\">{inner}"
    ))
}

fn draw(
    svg: &mut String,
    form: Form,
    labels: &[String],
    rows: &[Vec<f64>],
    highest: f64,
    unit: &dyn Fn(f64) -> String,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(28)
        .y_label_area_size(60)
        .build_cartesian_2d(-0.5..labels.len() as f64 - 0.5, 0.0..highest)?;
    let letters = ("sans-serif", LETTERS).into_font().color(&INK);
    let under = |at: &f64| {
        let is_whole = (at - at.round()).abs() < 1e-6 && *at >= -0.1;
        let label = labels.get(at.round() as usize).filter(|_| is_whole);
        label.cloned().unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(letters)
        .x_labels(labels.len().min(6))
        .y_labels(5)
        .x_label_formatter(&under)
        .y_label_formatter(&|value| unit(*value))
        .draw()?;
    for (row, colour) in rows.iter().zip([FIRST, SECOND, THIRD]) {
        row_of(&mut chart, form, row, colour)?;
    }
    root.present()?;
    drop(chart);
    Ok(())
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

fn row_of(
    chart: &mut Chart<'_, '_>,
    form: Form,
    row: &[f64],
    colour: RGBColor,
) -> Result<(), Box<dyn std::error::Error>> {
    let places = row.iter().enumerate().map(|(at, value)| (at as f64, *value));
    let places = places.filter(|(_, value)| value.is_finite());
    match form {
        Form::Bars => {
            let bar = |(at, value): (f64, f64)| {
                Rectangle::new([(at - 0.4, 0.0), (at + 0.4, value)], colour.filled())
            };
            chart.draw_series(places.filter(|(_, value)| *value > 0.0).map(bar))?;
        }
        Form::Lines => {
            chart.draw_series(LineSeries::new(places.clone(), colour.stroke_width(2)))?;
            // A single day has no line.
            chart.draw_series(places.map(|place| Circle::new(place, 3, colour.filled())))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("<{number}>")).collect()
    }

    fn draw_one(form: Form, values: Vec<f64>) -> Option<String> {
        plot(form, "a \"b\"", &labels(values.len()), &[values], &|value| format!("{value}&"))
    }

    #[test]
    fn a_plot_is_one_element_with_its_text_escaped() {
        for form in [Form::Bars, Form::Lines] {
            let svg = draw_one(form, vec![1.0, 5.0, 0.0, f64::NAN]).unwrap();
            assert!(svg.starts_with("<svg viewBox=") && svg.trim_end().ends_with("</svg>"));
            assert!(svg.contains("aria-label=\"a &quot;b&quot;\""), "{svg}");
            assert!(svg.contains("&lt;0&gt;") && !svg.contains("<0>"), "{svg}");
            assert!(!svg.contains("http") && !svg.contains("NaN"), "{svg}");
        }
    }

    #[test]
    fn nothing_is_no_plot() {
        assert_eq!(draw_one(Form::Bars, Vec::new()), None);
        assert_eq!(draw_one(Form::Bars, vec![0.0, 0.0]), None);
        assert_eq!(draw_one(Form::Lines, vec![f64::INFINITY]), None);
    }

    #[test]
    fn colours_are_those_that_the_stylesheet_replaces() {
        let rows = [vec![1.0], vec![2.0], vec![3.0]];
        let svg = plot(Form::Bars, "", &labels(1), &rows, &|value| value.to_string()).unwrap();
        let style = include_str!("page.css");
        for colour in [INK, GRID, FIRST, SECOND, THIRD] {
            let RGBColor(r, g, b) = colour;
            let name = format!("#{r:02X}{g:02X}{b:02X}");
            assert!(svg.contains(&name), "{name} in {svg}");
            assert!(style.contains(&name), "{name}");
        }
    }
}
