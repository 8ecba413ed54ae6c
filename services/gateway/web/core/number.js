// A ticket's number as it is read aloud: words, so that a clip can stand for each.
// "A012" → a nol dua belas. Letters one by one; each leading zero is said; the rest is a cardinal.

const ONES = ["nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"];

/** 0 … 999,999 in Indonesian, as a list of words. */
export function cardinal(n) {
  if (n < 10) return [ONES[n]];
  if (n === 10) return ["sepuluh"];
  if (n === 11) return ["sebelas"];
  if (n < 20) return [ONES[n - 10], "belas"];
  if (n < 100) return [ONES[Math.floor(n / 10)], "puluh", ...rest(n % 10)];
  if (n < 200) return ["seratus", ...rest(n - 100)];
  if (n < 1000) return [ONES[Math.floor(n / 100)], "ratus", ...rest(n % 100)];
  if (n < 2000) return ["seribu", ...rest(n - 1000)];
  return [...cardinal(Math.floor(n / 1000)), "ribu", ...rest(n % 1000)];
}

const rest = (n) => (n ? cardinal(n) : []);

/** The words of a number or a counter's id. `digits`: each digit by itself ("a nol satu dua"). */
export function spoken(number, digits = false) {
  return [...String(number).matchAll(/[A-Za-z]|\d+/g)].flatMap(([part]) => {
    if (!/\d/.test(part)) return [part.toLowerCase()];
    if (digits) return [...part].map((digit) => ONES[Number(digit)]);
    const zeros = part.match(/^0*(?=\d)/)[0].length;
    return [...Array(zeros).fill("nol"), ...cardinal(Number(part))];
  });
}

/** For screen readers: letter and digits apart, so that none reads "A012" as a word. */
export function spelled(number, language) {
  return language === "en" ? [...number].join(" ") : spoken(number).join(" ").toUpperCase().replace(/\B\w+/g, (tail) => tail.toLowerCase());
}
