import type { z } from 'zod';
import { choiceField, durationField, mapping, textField } from '../../gateway/settings/fields.ts';

/** A simulated server that a scenario starts, as YAML describes it. */
export const serverSchema = mapping({
  name: textField('a name').default('simulated').describe('What it calls itself in every answer.'),
  kind: choiceField(['tensor', 'llm']).describe('What it serves.'),
});

/** Something that goes wrong with a simulated server at a set time, as YAML describes it; without a server with all of them. */
export const faultSchema = mapping({
  server: textField('the name of a server').optional().describe('With which server. Absent: all of them.'),
  at: durationField().prefault('0s').describe('When it begins, after the start of the server.'),
}).transform(({ server = null, at }) => ({ server, atMs: at }));

/** A simulated server of a scenario. */
export type ServerSettings = z.output<typeof serverSchema>;

/** A fault of a scenario. */
export type FaultSettings = z.output<typeof faultSchema>;
