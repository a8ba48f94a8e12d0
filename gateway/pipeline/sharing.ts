/** How a request may share its answer with others. Null on an exchange whose answer is its own. */
export interface Sharing {
  /** What its answer is kept under: requests that have the same may be given the same. */
  readonly key: string;
  /** What its client wants: `new` is content with no answer that was begun before; `private` shares nothing. */
  readonly wish: 'any' | 'new' | 'private';
}
