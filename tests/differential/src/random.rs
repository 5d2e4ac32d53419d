//! The random numbers that inputs are made of: the same for the same seed, leg and case.

/// xorshift64*, seeded for each case on its own, so that one case can be run again alone.
pub struct Random(u64);

impl Random {
    /// The numbers of one case.
    pub fn of(seed: u64, leg: &str, case: usize) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325 ^ seed;
        for octet in leg.bytes().chain(case.to_le_bytes()) {
            state = (state ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
        let mut random = Self(state | 1);
        // Neighbouring states give alike first numbers.
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Less than the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    /// The text with one character gone, doubled, swapped with its neighbour, or another.
    pub fn change(&mut self, text: &str, alphabet: &[u8]) -> String {
        let mut octets = text.as_bytes().to_vec();
        if octets.is_empty() {
            return text.to_owned();
        }
        let at = self.below(octets.len());
        let other = alphabet[self.below(alphabet.len())];
        match self.below(5) {
            0 => drop(octets.remove(at)),
            1 => octets.insert(at, octets[at]),
            2 => octets.insert(at, other),
            3 if at > 0 => octets.swap(at - 1, at),
            _ => octets[at] = other,
        }
        String::from_utf8_lossy(&octets).into_owned()
    }
}
