//! Rewrites a file so that it holds many mutants, each behind its switch.
//!
//! Only one mutant is switched on at a time. What stands behind a switch is therefore the original
//! text with that one change, and only what stands behind no switch holds further switches.

use std::cmp::Reverse;
use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::ops::Range;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ExprMatch, File, UnOp};

use crate::Failure;
use crate::mutant::{Genre, Mutant};
use crate::source::Lines;

/// The function that says whether a mutant is switched on; see `switch.rs`.
const SWITCH: &str = "crate::mutant::is";

/// A rewritten file.
pub struct Rewritten {
    pub text: String,
    /// Which mutants are to blame for a message of the compiler about some octets of `text`.
    pub regions: Vec<Region>,
    /// The mutants that have no place behind a switch, by their numbers: in what the compiler
    /// computes, in chains of `let`, for bodies of functions that return `impl Trait`.
    pub left_out: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct Region {
    pub place: Range<usize>,
    pub mutants: Vec<usize>,
    /// Whether it is the mutated text itself, of one mutant.
    pub is_mutated: bool,
}

pub fn rewrite(text: String, mutants: &[&Mutant]) -> Result<Rewritten, Failure> {
    let file: File = syn::parse_file(&text)?;
    let lines = Lines::of(text);
    let mut places = Places::new(&lines);
    places.visit_file(&file);
    let mut edits: BTreeMap<Place, Vec<&Mutant>> = BTreeMap::new();
    let mut left_out = Vec::new();
    for mutant in mutants {
        match places.find(mutant) {
            Some(place) => edits.entry(place).or_default().push(mutant),
            None => left_out.push(mutant.number),
        }
        for function in places.functions.iter().filter(|range| holds(range, mutant)) {
            let place = Place::new(function.clone(), Kind::Function);
            edits.entry(place).or_default().push(mutant);
        }
    }
    let mut writer = Writer {
        original: lines.text(),
        text: String::new(),
        regions: Vec::new(),
    };
    writer.write(0..lines.text().len(), &mut edits.iter().peekable());
    Ok(Rewritten {
        text: writer.text,
        regions: writer.regions,
        left_out,
    })
}

fn holds(range: &Range<usize>, mutant: &Mutant) -> bool {
    range.start <= mutant.span.start && mutant.span.end <= range.end
}

/// Where a mutant's switch goes. What holds others is sorted before them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place {
    start: usize,
    end: Reverse<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    /// Takes no switch: is to blame for what the compiler says of no switch in particular.
    Function,
    /// At the start of a body.
    Statement,
    /// Behind a pattern.
    Guard,
    /// Becomes a choice.
    Expression,
}

impl Place {
    fn new(range: Range<usize>, kind: Kind) -> Self {
        Self {
            start: range.start,
            end: Reverse(range.end),
            kind,
        }
    }
}

/// What in the file can take a switch.
struct Places<'a> {
    lines: &'a Lines,
    /// Expressions whose text may be put behind a switch, and arms' guards.
    expressions: Vec<Range<usize>>,
    arms: Vec<ArmPlace>,
    functions: Vec<Range<usize>>,
    constants: Vec<Range<usize>>,
    /// Functions that return `impl Trait`, and so one type alone.
    opaque: Vec<Range<usize>>,
}

struct ArmPlace {
    whole: Range<usize>,
    pattern_end: usize,
    guard: Option<Range<usize>>,
}

impl<'a> Places<'a> {
    fn new(lines: &'a Lines) -> Self {
        Self {
            lines,
            expressions: Vec::new(),
            arms: Vec::new(),
            functions: Vec::new(),
            constants: Vec::new(),
            opaque: Vec::new(),
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let offset = |place| self.lines.at(place).unwrap_or_default();
        offset(span.start())..offset(span.end())
    }

    fn find(&self, mutant: &Mutant) -> Option<Place> {
        if self.constants.iter().any(|range| holds(range, mutant)) {
            return None;
        }
        let start = mutant.span.start;
        match mutant.genre {
            Genre::Body if self.opaque.iter().any(|range| holds(range, mutant)) => None,
            // The end of the file, since the statement stands before whatever begins here as well.
            Genre::Body => Some(Place::new(start..self.lines.text().len(), Kind::Statement)),
            Genre::Arm => {
                let arm = self.arms.iter().find(|arm| arm.whole.start == start)?;
                Some(match &arm.guard {
                    Some(guard) => Place::new(guard.clone(), Kind::Expression),
                    None => Place::new(arm.pattern_end..arm.pattern_end, Kind::Guard),
                })
            }
            Genre::Expression => {
                let around = self.expressions.iter().filter(|range| holds(range, mutant));
                let smallest = around.min_by_key(|range| range.len())?;
                Some(Place::new(smallest.clone(), Kind::Expression))
            }
        }
    }

    /// A function, where the compiler computes nothing itself.
    fn function(&mut self, span: Span, signature: &syn::Signature) {
        let range = self.range(span);
        if signature.constness.is_some() {
            self.constants.push(range.clone());
        }
        let mut output = Opaque(false);
        output.visit_return_type(&signature.output);
        if output.0 {
            self.opaque.push(range.clone());
        }
        self.functions.push(range);
    }

    /// The expression's operands that are no part of one chain of operators with it.
    fn operands(&mut self, expression: &Expr) {
        match expression {
            Expr::Binary(binary) => {
                self.operands(&binary.left);
                self.operands(&binary.right);
            }
            other => self.visit_expr(other),
        }
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(item.span(), &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(item.span(), &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(item.span(), &item.sig);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_type(&mut self, item: &'ast syn::Type) {
        self.constants.push(self.range(item.span()));
    }

    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        self.constants.push(self.range(pattern.span()));
    }

    fn visit_expr_match(&mut self, item: &'ast ExprMatch) {
        for arm in &item.arms {
            let guard = arm
                .guard
                .as_ref()
                .map(|(_, guard)| self.range(guard.span()));
            self.expressions.extend(guard.clone());
            self.arms.push(ArmPlace {
                whole: self.range(arm.span()),
                pattern_end: self.range(arm.pat.span()).end,
                guard,
            });
        }
        visit::visit_expr_match(self, item);
    }

    fn visit_expr_binary(&mut self, item: &'ast ExprBinary) {
        // A chain of `let` is no expression: only what it joins is.
        if let (BinOp::And(_), true) = (item.op, has_let(&item.left) || has_let(&item.right)) {
            self.visit_expr(&item.left);
            self.visit_expr(&item.right);
            return;
        }
        // cargo-mutants puts another operator into the text, which may bind more or less tightly
        // than the original: all that it might join goes behind the switch.
        self.expressions.push(self.range(item.span()));
        self.operands(&item.left);
        self.operands(&item.right);
    }

    fn visit_expr_unary(&mut self, item: &'ast syn::ExprUnary) {
        if let UnOp::Not(_) | UnOp::Neg(_) = item.op {
            self.expressions.push(self.range(item.span()));
        }
        visit::visit_expr_unary(self, item);
    }

    fn visit_expr_struct(&mut self, item: &'ast syn::ExprStruct) {
        self.expressions.push(self.range(item.span()));
        visit::visit_expr_struct(self, item);
    }
}

/// Whether a type has `impl Trait` anywhere.
struct Opaque(bool);

impl Visit<'_> for Opaque {
    fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
        self.0 = true;
    }
}

fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

type Edits<'a, 'm> = Peekable<btree_map::Iter<'a, Place, Vec<&'m Mutant>>>;

struct Writer<'a> {
    original: &'a str,
    text: String,
    regions: Vec<Region>,
}

impl Writer<'_> {
    /// Writes a part of the original, with the edits within it.
    fn write(&mut self, part: Range<usize>, edits: &mut Edits<'_, '_>) {
        let mut written = part.start;
        while let Some((place, mutants)) = edits.next_if(|(place, _)| place.start < part.end) {
            let range = place.start..place.end.0;
            self.text.push_str(&self.original[written..range.start]);
            written = range.start;
            match place.kind {
                Kind::Statement => {
                    for mutant in mutants {
                        self.region(&[mutant], true, |writer| {
                            let Mutant {
                                number,
                                replacement,
                                ..
                            } = mutant;
                            let switch =
                                format!("if {SWITCH}({number}) {{ return {replacement}; }} ");
                            writer.text.push_str(&switch);
                        });
                    }
                }
                Kind::Guard => self.region(mutants, false, |writer| {
                    let switches = mutants
                        .iter()
                        .map(|one| format!("!{SWITCH}({})", one.number));
                    let switches: Vec<_> = switches.collect();
                    writer
                        .text
                        .push_str(&format!(" if {}", switches.join(" && ")));
                }),
                Kind::Function => {
                    self.region(mutants, false, |writer| writer.write(range.clone(), edits));
                    written = range.end;
                }
                Kind::Expression => {
                    self.region(mutants, false, |writer| {
                        writer.choice(&range, mutants);
                        writer.write(range.clone(), edits);
                        writer.text.push_str(" })");
                    });
                    written = range.end;
                }
            }
        }
        self.text.push_str(&self.original[written..part.end]);
    }

    /// The mutants of an expression, up to where the original follows.
    fn choice(&mut self, range: &Range<usize>, mutants: &[&Mutant]) {
        self.text.push('(');
        for mutant in mutants {
            self.text
                .push_str(&format!("if {SWITCH}({}) {{ ", mutant.number));
            self.region(&[mutant], true, |writer| {
                let changed = match mutant.genre {
                    // An arm whose guard never holds is as good as gone.
                    Genre::Arm => "false".to_owned(),
                    _ => {
                        let span = mutant.span.start - range.start..mutant.span.end - range.start;
                        mutant.replace(&writer.original[range.clone()], span)
                    }
                };
                writer.text.push_str(&changed);
            });
            self.text.push_str(" } else ");
        }
        self.text.push_str("{ ");
    }

    fn region(&mut self, mutants: &[&Mutant], is_mutated: bool, write: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        write(self);
        self.regions.push(Region {
            place: start..self.text.len(),
            mutants: mutants.iter().map(|mutant| mutant.number).collect(),
            is_mutated,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A mutant that puts `replacement` where `part` stands.
    fn mutant(number: usize, genre: Genre, text: &str, part: &str, replacement: &str) -> Mutant {
        let start = text.find(part).unwrap();
        Mutant {
            number,
            file: PathBuf::new(),
            span: start..start + part.len(),
            replacement: replacement.to_owned(),
            genre,
            name: String::new(),
            line: String::new(),
        }
    }

    fn rewritten(text: &str, mutants: &[Mutant]) -> String {
        let mutants: Vec<_> = mutants.iter().collect();
        let rewritten = rewrite(text.to_owned(), &mutants).unwrap();
        let words = rewritten.text.replace(SWITCH, "is");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_chain_of_operators_stands_behind_the_switch_as_a_whole() {
        let text = "fn f() -> u8 { 1 + 2 - (3 * 4) }";
        let mutants = [
            mutant(1, Genre::Expression, text, "+", "*"),
            mutant(2, Genre::Expression, text, "*", "/"),
            mutant(3, Genre::Body, text, "1 + 2 - (3 * 4)", "0"),
        ];
        assert_eq!(
            rewritten(text, &mutants),
            "fn f() -> u8 { if is(3) { return 0; } (if is(1) { 1 * 2 - (3 * 4) } else { 1 + 2 - \
             ((if is(2) { 3 / 4 } else { 3 * 4 })) }) }"
        );
    }

    #[test]
    fn an_arm_goes_by_its_guard() {
        let text = "fn f(n: u8) { match n { 1 => a(), 2 if b() => c(), _ => d() } }";
        let mutants = [
            mutant(1, Genre::Arm, text, "1 => a(),", ""),
            mutant(2, Genre::Arm, text, "2 if b() => c(),", ""),
        ];
        assert_eq!(
            rewritten(text, &mutants),
            "fn f(n: u8) { match n { 1 if !is(1) => a(), \
             2 if (if is(2) { false } else { b() }) => c(), _ => d() } }"
        );
    }

    #[test]
    fn constants_and_chains_of_let_take_no_switch() {
        let text = "const fn f() -> u8 { 1 + 2 } fn g() { if let a = b && c == d { } }";
        let mutants = [
            mutant(1, Genre::Expression, text, "+", "-"),
            mutant(2, Genre::Expression, text, "&&", "||"),
            mutant(3, Genre::Expression, text, "==", "!="),
        ];
        let mutants: Vec<_> = mutants.iter().collect();
        let rewritten = rewrite(text.to_owned(), &mutants).unwrap();
        assert_eq!(rewritten.left_out, [1, 2]);
        assert!(
            rewritten
                .text
                .contains("&& (if crate::mutant::is(3) { c  !=  d }")
        );
    }
}
