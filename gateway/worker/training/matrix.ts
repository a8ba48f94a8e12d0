/** The extents of a product: `rows` x `columns` numbers, each a sum over `depth` products. */
export interface Extents {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/**
 * C = A times B transposed: `into[r, c]` is the sum over d of `a[r, d] * b[c, d]`, all row by row. Both factors are read
 * along their rows, which is what caches like; every other product is made of this one and `transpose`. Sums are kept
 * with 64 bits. `into` must not overlap the factors.
 */
export function multiply(a: Float32Array, b: Float32Array, into: Float32Array, extents: Extents): void {
  const { rows, columns, depth } = extents;
  const tiledRows = rows - (rows % 2);
  const tiledColumns = columns - (columns % 4);
  for (let row = 0; row < tiledRows; row += 2) {
    for (let column = 0; column < tiledColumns; column += 4) {
      multiplyTile(a, b, into, { row, column, columns, depth });
    }
  }
  for (let row = 0; row < rows; row++) {
    for (let column = row < tiledRows ? tiledColumns : 0; column < columns; column++) {
      let sum = 0;
      for (let at = 0; at < depth; at++) sum += (a[row * depth + at] ?? 0) * (b[column * depth + at] ?? 0);
      into[row * columns + column] = sum;
    }
  }
}

interface Tile {
  readonly row: number;
  readonly column: number;
  readonly columns: number;
  readonly depth: number;
}

/** Two rows by four columns of a product at once: eight sums that stay in registers, for six numbers read. */
function multiplyTile(a: Float32Array, b: Float32Array, into: Float32Array, tile: Tile): void {
  const { columns, depth } = tile;
  const a0 = tile.row * depth;
  const a1 = a0 + depth;
  const b0 = tile.column * depth;
  const b1 = b0 + depth;
  const b2 = b1 + depth;
  const b3 = b2 + depth;
  let [c00, c01, c02, c03, c10, c11, c12, c13] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < depth; at++) {
    const upper = a[a0 + at] ?? 0;
    const lower = a[a1 + at] ?? 0;
    const first = b[b0 + at] ?? 0;
    const second = b[b1 + at] ?? 0;
    const third = b[b2 + at] ?? 0;
    const fourth = b[b3 + at] ?? 0;
    c00 += upper * first;
    c01 += upper * second;
    c02 += upper * third;
    c03 += upper * fourth;
    c10 += lower * first;
    c11 += lower * second;
    c12 += lower * third;
    c13 += lower * fourth;
  }
  const to = tile.row * columns + tile.column;
  into[to] = c00;
  into[to + 1] = c01;
  into[to + 2] = c02;
  into[to + 3] = c03;
  into[to + columns] = c10;
  into[to + columns + 1] = c11;
  into[to + columns + 2] = c12;
  into[to + columns + 3] = c13;
}

/** The transpose of a `rows` x `columns` matrix, into another place. */
export function transpose(from: Float32Array, into: Float32Array, rows: number, columns: number): void {
  // In squares of 16 by 16, so that the lines of memory a square touches stay in the nearest cache.
  for (let top = 0; top < rows; top += 16) {
    for (let left = 0; left < columns; left += 16) {
      const bottom = Math.min(top + 16, rows);
      const right = Math.min(left + 16, columns);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) into[column * rows + row] = from[row * columns + column] ?? 0;
      }
    }
  }
}
