//! DMARC reports: what receivers tell domain owners about their mail.
