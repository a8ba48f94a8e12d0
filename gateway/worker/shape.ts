import { wrongField } from './fault.ts';
import type { TensorSpec } from './metadata.ts';

/** More elements than any body could carry; keeps products of dimensions exact. */
const maxElements = 2 ** 31;

/** Checks a request's shape against what the model takes. */
export function checkShape(value: unknown, field: string, spec: TensorSpec): number[] {
  const wanted = `[${spec.shape.join(', ')}]${spec.shape.includes(-1) ? ', any whole number in the place of -1' : ''}`;
  if (!Array.isArray(value) || value.length !== spec.shape.length) throw wrongField(field, value, wanted);
  let elements = 1;
  const shape = value.map((dimension: unknown, at) => {
    const fixed = spec.shape[at] ?? -1;
    if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 0)
      throw wrongField(field, value, wanted);
    if (fixed !== -1 && dimension !== fixed) throw wrongField(field, value, wanted);
    // A dimension of 0 does not hide another that no buffer could have.
    elements *= Math.max(1, dimension);
    return dimension;
  });
  if (!(elements <= maxElements)) throw wrongField(field, value, `at most ${maxElements} elements`);
  return shape;
}
