/** An object of JSON. */
export type Members = Record<string, unknown>;

/** Whether a value of JSON is an object. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a text of that name comes in pieces; another is said whole, once or again. */
type ComesInPieces = (name: string) => boolean;

/** Adds what one piece of an answer brings to what came before: texts grow, lists by the index of what they hold or else at their end, and anything else is what was said last. */
export function joinPieces(whole: Members, piece: Members, comesInPieces: ComesInPieces): void {
  for (const [name, value] of Object.entries(piece)) {
    // It would be no member of its own.
    if (name === '__proto__') continue;
    const before = Object.hasOwn(whole, name) ? whole[name] : null;
    if (Array.isArray(value) && Array.isArray(before)) joinLists(before, value, comesInPieces);
    else if (isMembers(value) && isMembers(before)) joinPieces(before, value, comesInPieces);
    else if (typeof value === 'string' && typeof before === 'string')
      whole[name] = comesInPieces(name) ? before + value : value || before;
    else whole[name] = value ?? before;
  }
}

function joinLists(whole: unknown[], pieces: readonly unknown[], comesInPieces: ComesInPieces): void {
  for (const piece of pieces) {
    const index = indexOf(piece);
    const before = index === null ? null : whole.find((one) => indexOf(one) === index);
    if (isMembers(before) && isMembers(piece)) joinPieces(before, piece, comesInPieces);
    else whole.push(piece);
  }
}

function indexOf(value: unknown): number | null {
  return isMembers(value) && typeof value.index === 'number' ? value.index : null;
}
