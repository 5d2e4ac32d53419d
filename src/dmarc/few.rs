//! Lists that nearly always have one element.

/// A list that asks for memory from its second element on.
#[derive(Clone, Debug, Default)]
pub(super) enum Few<T> {
    #[default]
    None,
    One([T; 1]),
    More(Vec<T>),
}

impl<T> Few<T> {
    pub(super) fn push(&mut self, element: T) {
        match self {
            Self::None => *self = Self::One([element]),
            Self::One(_) => {
                if let Self::One([first]) = std::mem::take(self) {
                    *self = Self::More(vec![first, element]);
                }
            }
            Self::More(elements) => elements.push(element),
        }
    }

    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::More(elements) => elements,
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.as_slice().iter()
    }
}
