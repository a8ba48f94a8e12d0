import type { z } from 'zod';
import { choiceField, durationField, mapping, portField, textField } from '../../gateway/settings/fields.ts';

/** A simulated server that a scenario starts, as YAML describes it. */
export const serverSchema = mapping({
  name: textField('a name').describe('What faults call it.'),
  kind: choiceField(['tensor', 'llm']).describe('What it serves.'),
  port: portField().describe('Where it listens.'),
});

/** Something that goes wrong with a simulated server at a set time, as YAML describes it. */
export const faultSchema = mapping({
  server: textField('the name of a server').describe('With which server.'),
  at: durationField().describe('When, counted from the start of the run.'),
});

/** A simulated server of a scenario. */
export type ServerSettings = z.output<typeof serverSchema>;

/** A fault of a scenario. */
export type FaultSettings = z.output<typeof faultSchema>;
