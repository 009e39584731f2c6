import { text } from '../text/text.js';
import { answerOf, api } from './client.js';
import { ApiProblem } from './problem.js';

/** Fetched when somebody first uses a key. */
const ceremonies = () => import('@simplewebauthn/browser');

/** Has one of their keys show that it is them. @throws ApiProblem */
export async function showByKey(): Promise<void> {
  const optionsJSON = await answerOf(api.POST('/v1/caller/step-up/request'));
  const body = await keysAnswer(async () => (await ceremonies()).startAuthentication({ optionsJSON }));
  await answerOf(api.POST('/v1/caller/step-up', { body }));
}

/** @throws ApiProblem */
export async function registerKey(name: string): Promise<void> {
  const optionsJSON = await answerOf(api.POST('/v1/caller/security-keys/request'));
  const answer = await keysAnswer(async () => (await ceremonies()).startRegistration({ optionsJSON }));
  await answerOf(api.POST('/v1/caller/security-keys', { body: { name, answer } }));
}

/** Browsers say little of why there is no answer, so that no page learns which keys somebody has. */
async function keysAnswer<T>(asked: () => Promise<T>): Promise<T> {
  try {
    return await asked();
  } catch (error) {
    const { yourSignIn: words } = text;
    const isKnown = error instanceof Error && error.name === 'InvalidStateError';
    throw isKnown
      ? new ApiProblem('key-known', 0, words.keyKnown, words.keyKnownDetail, null)
      : new ApiProblem('no-key', 0, words.noKey, words.noKeyDetail, null);
  }
}
