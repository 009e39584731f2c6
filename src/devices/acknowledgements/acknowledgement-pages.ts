import { escapeHtml, plainPage } from '../../platform/http/plain-page.js';
import type { ToSign } from './acknowledgements.service.js';

export function signPage({ text, assetTag, modelName, personName }: ToSign): string {
  return plainPage(
    `${escapeHtml(personName)}, sign for your device`,
    `<dl>
      <dt>Device</dt><dd>${escapeHtml(modelName)}</dd>
      <dt>Label</dt><dd><code>${escapeHtml(assetTag)}</code></dd>
    </dl>
    ${text
      .split(/\n{2,}/)
      .map((paragraph) => `<p>${escapeHtml(paragraph).replaceAll('\n', '<br>')}</p>`)
      .join('\n    ')}
    <form method="post"><button type="submit">I agree and sign</button></form>`,
  );
}

export function signedPage(): string {
  return plainPage(
    'Thank you, it is signed',
    '<p>When, and from which network, was written down. You can close this page.</p>',
  );
}
