import { z } from 'zod';
import {
  choiceField,
  flagField,
  kindField,
  kindsOf,
  listOf,
  mapping,
  numberField,
  textField,
  wholeField,
} from '../../gateway/settings/fields.ts';

const mostTokens = 10_000_000;
const mostRows = 131_072;
const mostKeys = 1_000_000;

/** A number of tokens or rows: one for all, or drawn for each payload. */
function lengthField(most: number) {
  const count = () => wholeField(1, most);
  const uniform = mapping({
    kind: kindField('uniform', 'Every number within bounds is as likely.'),
    from: count().describe('The least.'),
    to: count().describe('The most.'),
  });
  const lognormal = mapping({
    kind: kindField('lognormal', 'Many short ones and a few long ones, as people write.'),
    mean: count().describe('The mean, before what exceeds most is cut.'),
    variation: numberField(0, 100).default(1).describe('Standard deviation over mean.'),
    most: count().default(131_072).describe('What is drawn above is cut to it.'),
  });
  return z.union([count(), kindsOf([uniform, lognormal])], {
    error: `a whole number from 1 to ${most}, or a mapping with kind uniform or lognormal`,
  });
}

const chatKeys = {
  stream: flagField().default(true).describe('Whether answers come token by token.'),
  usage: flagField().default(true).describe('Whether a stream is asked to end with its usage.'),
  ignore_eos: flagField()
    .default(false)
    .describe('Whether models are asked to generate output_tokens in any case; only vLLM and SGLang know it.'),
  temperature: numberField(0, 2).optional().describe('Absent: left to the model.'),
};

/** A chat completion, in protocol `openai`. */
export const chatSchema = mapping({
  prompt_tokens: lengthField(mostTokens)
    .default(256)
    .describe('Four bytes each, and a word to most models. A shared prefix is in addition.'),
  output_tokens: lengthField(mostTokens).default(64).describe('The most that is generated.'),
  ...chatKeys,
});

const tracedChat = mapping(chatKeys);

/** An inference on one tensor, in protocol `open-inference`. */
export const tensorSchema = mapping({
  name: textField('the name of a tensor').default('image').describe('What the model calls its input.'),
  datatype: choiceField(['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP32', 'FP64'])
    .default('FP32')
    .describe('Its elements are whole numbers from 0 to 16.'),
  shape: listOf(wholeField(1, 100_000_000), 'a list of whole numbers').default([64]).describe('Of one row.'),
  rows: lengthField(mostRows).default(1).describe('How many rows a request has.'),
});

const contents = {
  chat: chatSchema.optional().describe('What is asked in protocol openai.'),
  tensor: tensorSchema.optional().describe('What is asked in protocol open-inference.'),
};

/** What requests ask for, as YAML says it. */
export const payloadsSchema = kindsOf([
  mapping({ kind: kindField('unique', 'No request is like another.'), ...contents }),
  mapping({ kind: kindField('same', 'Every request is the same.'), ...contents }),
  mapping({
    kind: kindField('zipf', 'Requests repeat, some of them often.'),
    s: numberField(0, 10)
      .default(1)
      .describe('The k-th most frequent is drawn in proportion to 1 / k^s; 0 for evenly.'),
    keys: wholeField(1, mostKeys).describe('How many different ones there are.'),
    ...contents,
  }),
  mapping({
    kind: kindField('prefix', 'Prompts differ, and begin like others.'),
    groups: wholeField(1, mostKeys).describe('How many different beginnings there are, each as likely.'),
    prefix_tokens: wholeField(1, mostTokens).describe('How long a beginning is.'),
    chat: contents.chat,
  }),
  mapping({
    kind: kindField(
      'trace',
      'Lengths are those of a trace, and so are the beginnings that prompts share where it tells them.',
    ),
    file: textField('the path of a trace')
      .optional()
      .describe('Absent: the trace of the arrivals. After its last row it begins again.'),
    chat: tracedChat.optional().describe('What is asked besides.'),
  }),
]);
