import type { Rng } from '../../../gateway/kernel/rng.ts';
import { type Mutated, refused } from './expectation.ts';
import { type Draft, type InferCase, writeCase } from './infer-case.ts';

/** One way to change one field of a request; null where the request has no such field. */
export type Mutation = (kase: InferCase, rng: Rng) => Mutated | null;

/** What is no object. */
export const noObject = [null, 7, 'x', true, [1]];

/** What is no value of a parameter. */
export const noParameter = [null, [], {}, [1], { a: 1 }];

/** A request written down and then changed. */
export function changed(kase: InferCase, change: (draft: Draft) => void): Draft {
  const draft = writeCase(kase);
  change(draft);
  return draft;
}

/** With other members at the top of its message. */
export function withMessage(kase: InferCase, fields: object): Draft {
  return changed(kase, ({ message }) => void Object.assign(message, fields));
}

/** Written down in another way. */
export function withDraft(kase: InferCase, fields: Partial<Draft>): Draft {
  return changed(kase, (draft) => void Object.assign(draft, fields));
}

/** With other members at the top of its message, which is to be refused. */
export function refusedWith(kase: InferCase, field: string, fields: object): Mutated {
  return refused(withMessage(kase, fields), field);
}

/** Changed in a way that is to be refused. */
export function refusedWhen(kase: InferCase, field: RegExp | string, change: (draft: Draft) => void): Mutated {
  return refused(changed(kase, change), field);
}
