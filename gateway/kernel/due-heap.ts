/** Something that happens at an instant; of those at the same one, what was asked for first comes first. */
export interface Due {
  readonly dueAtMs: number;
  readonly order: number;
}

/** Puts an item into a binary heap whose first is the one due next. An item's instant must not change while it is in there. */
export function pushDue<Item extends Due>(heap: Item[], item: Item): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (parent === undefined || !isBefore(item, parent)) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = item;
}

/** Takes out the item due next. */
export function popDue<Item extends Due>(heap: Item[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let childAt = 2 * at + 1;
    const left = heap[childAt];
    if (left === undefined) break;
    const right = heap[childAt + 1];
    let child = left;
    if (right !== undefined && isBefore(right, left)) {
      child = right;
      childAt += 1;
    }
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);
}
