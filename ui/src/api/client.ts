import createClient, { type Middleware } from 'openapi-fetch';
import { text } from '../text/text.js';
import { noteServerTime } from '../time/server-clock.js';
import { isSomebodyThere } from './presence.js';
import { ApiProblem, problemFrom } from './problem.js';
import type { paths } from './schema.js';

/** The REST API, typed by its own description. The session's cookie goes along by itself. */
export const api = createClient<paths>({ baseUrl: window.location.origin });

const everyRequest: Middleware = {
  onRequest({ request }) {
    // What a page asks by itself doesn't keep anybody signed in.
    if (!isSomebodyThere()) request.headers.set('X-By-Itself', 'true');
    return request;
  },
  onResponse({ response }) {
    noteServerTime(response.headers.get('date'));
  },
};
api.use(everyRequest);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** @throws ApiProblem, whatever went wrong */
export async function answerOf<T>(asked: Promise<Answered<T>>): Promise<T> {
  let answered: Answered<T>;
  try {
    answered = await asked;
  } catch {
    throw noAnswer();
  }
  const { data, error, response } = answered;
  if (response.ok) return data as T;
  throw problemFrom(response.status, error, response.headers.get('x-request-id'), text.problems.unreadable);
}

export function noAnswer(): ApiProblem {
  return new ApiProblem('no-answer', 0, text.problems.noAnswer, text.problems.noAnswerDetail, null);
}

/** The header of an act: sent again, it is done once. */
export function once(): { 'Idempotency-Key': string } {
  // Over plain http, browsers offer no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { 'Idempotency-Key': Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}
