import { postOnce, type PostAnswer, type PostOptions } from '../../platform/outbound/post-once.js';

/** Posts JSON once. @throws NotReached */
export function postJson(url: URL, body: unknown, options: PostOptions): Promise<PostAnswer> {
  return postOnce(url, { type: 'application/json', text: JSON.stringify(body) }, options);
}
