// Loaded before a service: its clock is wrong by SPEC_CLOCK_MINUTES from then on; a second number is where it jumps to
// after five seconds. `performance.now` is the monotonic clock and stays right, as in an operating system.
const [first, second] = process.env.SPEC_CLOCK_MINUTES.split(',').map(Number);
const RightDate = Date;
let skewMs = first * 60_000;
if (second !== undefined) setTimeout(() => (skewMs = second * 60_000), 5_000).unref();

class SkewedDate extends RightDate {
  constructor(...values) {
    if (values.length === 0) super(RightDate.now() + skewMs);
    else super(...values);
  }

  static now() {
    return RightDate.now() + skewMs;
  }
}

globalThis.Date = SkewedDate;
// Configuration is checked name by name: what only this file reads is gone before it is.
delete process.env.SPEC_CLOCK_MINUTES;
