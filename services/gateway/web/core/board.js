// Reading the board: lines as runs, and the expected wait at a place of a line.

/** How many numbers stand in runs such as "A013", "A013-A045". */
export function length(runs) {
  return runs.reduce((sum, run) => {
    const [first, last = first] = run.split("-");
    return sum + digits(last) - digits(first) + 1;
  }, 0);
}

const digits = (number) => Number(String(number).replace(/\D/g, ""));

/** Every number of the runs, in order. */
export function numbers(runs) {
  return runs.flatMap((run) => {
    const [first, last = first] = run.split("-");
    const letter = first[0];
    const width = first.length - 1;
    const count = digits(last) - digits(first) + 1;
    return Array.from({ length: count }, (_, i) => letter + String(digits(first) + i).padStart(width, "0"));
  });
}

/** { p50Seconds, p90Seconds } at a position (1 = next), straight lines between; null = none. */
export function forecast(service, position) {
  const points = service?.forecast ?? [];
  const after = points.findIndex((point) => point.position >= position);
  if (after < 0) return service?.beyondClosing || !points.length ? null : points.at(-1);
  const high = points[after];
  const low = points[after - 1];
  if (!low || high.position === position) return high;
  const part = (position - low.position) / (high.position - low.position);
  const mix = (name) => low[name] + (high[name] - low[name]) * part;
  return { p50Seconds: mix("p50Seconds"), p90Seconds: mix("p90Seconds") };
}

/** For someone who takes a number of the service now. */
export const forNext = (service) => forecast(service, length(service.waiting) + 1);
