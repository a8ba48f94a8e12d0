/**
 * Whether a text fits a pattern from the configuration, in which `*` stands for any characters, also none. Clients choose the text: it
 * is walked once, where a regular expression with several stars would try every way to share it out.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  if (pattern === text || pattern === '*') return true;
  const firstStar = pattern.indexOf('*');
  if (firstStar < 0) return false;
  const lastStar = pattern.lastIndexOf('*');
  const tailLength = pattern.length - lastStar - 1;
  if (text.length < firstStar + tailLength) return false;
  if (!text.startsWith(pattern.slice(0, firstStar)) || !text.endsWith(pattern.slice(lastStar + 1))) return false;
  const end = text.length - tailLength;
  let at = firstStar;
  for (const piece of pattern.slice(firstStar, lastStar).split('*')) {
    const foundAt = text.indexOf(piece, at);
    if (foundAt < 0 || foundAt + piece.length > end) return false;
    at = foundAt + piece.length;
  }
  return true;
}
