import { text } from '../text/text.js';
import { noAnswer } from './client.js';
import { ApiProblem, problemFrom } from './problem.js';

/** Bytes, as the server has it. */
const LARGEST = 2 * 1024 * 1024;

/** Leaves a file with a step, known by its hash. @throws ApiProblem */
export async function sendFile(stepId: string, file: File): Promise<void> {
  if (file.size > LARGEST) throw local(text.problems.fileTooLarge);
  // Browsers hash only for pages that came over TLS, or from this very machine.
  if (!window.isSecureContext) throw local(text.problems.needsTls);
  const content = await file.arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const answer = await fetch(`/v1/steps/${stepId}/evidence/${sha256}?name=${encodeURIComponent(file.name)}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: content,
  }).catch(() => {
    throw noAnswer();
  });
  if (answer.ok) return;
  const body: unknown = await answer.json().catch(() => null);
  throw problemFrom(answer.status, body, answer.headers.get('x-request-id'), text.problems.unreadable);
}

function local(detail: string): ApiProblem {
  return new ApiProblem('invalid-request', 0, text.problems.cannotSend, detail, null);
}
