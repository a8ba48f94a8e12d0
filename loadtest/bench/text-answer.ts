/** Where texts are embedded. */
export const textPath = '/v1/embeddings';

const sizeBytes = 1024;

/** What is answered there: a kilobyte, most of it numbers that mean nothing. */
export const textAnswer: Buffer = answerWith('A'.repeat(sizeBytes - answerWith('').length));

function answerWith(embedding: string): Buffer {
  const data = [{ object: 'embedding', index: 0, embedding }];
  return Buffer.from(
    JSON.stringify({ object: 'list', data, model: 'text', usage: { prompt_tokens: 4, total_tokens: 4 } }),
  );
}
