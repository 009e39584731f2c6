import { z } from 'zod';

/** What zod says, in sentences for whoever sent the value. A schema's own message always wins. */
export function speakPlainly(): void {
  z.config({ customError: (issue) => sentenceFor(issue) });
}

function sentenceFor(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'This is required.' : `This has to be ${withArticle(issue.expected)}.`;
    case 'unrecognized_keys':
      return `This has fields that are not known here: ${issue.keys.join(', ')}.`;
    case 'invalid_value':
      return `This has to be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}.`;
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1 ? 'This must not be empty.' : undefined;
    case 'invalid_format':
      return FORMATS[issue.format];
    default:
      return undefined;
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'This has to be an id (a UUID).',
  email: 'This has to be an e-mail address.',
  date: 'This has to be a date, as in 2026-11-23.',
  datetime: 'This has to be a time with its offset, as in 2026-11-23T09:00:00Z.',
};

function withArticle(noun: string): string {
  if (noun === 'int') return 'a whole number';
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}
