import { z } from 'zod';

const WORD = z.string().trim().min(1, 'must not be empty');
// `department: engineering` and `department: [engineering, research]` mean the same thing with one or more choices.
const CHOICE = z.union([WORD.transform((word) => [word]), z.array(WORD).min(1, 'must name at least one')], {
  error: 'must be a word or a list of words',
});
const NAMES = z.array(WORD, { error: 'must be a list of names' }).default([]);

const DOMAIN = z
  .string({ error: 'must be a domain such as acme.example' })
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'must be a domain such as acme.example')
  .transform((domain) => domain.toLowerCase());

const TOOL_ACCESS = z.strictObject({
  tool: WORD.describe('Key of a tool.'),
  groups: NAMES,
  roles: NAMES,
  licences: NAMES,
});

const CONDITIONS = z.strictObject({
  department: CHOICE.optional(),
  employmentType: CHOICE.optional(),
  location: CHOICE.optional(),
});

const RULE = z.strictObject({
  name: WORD.describe('Unique; shown where somebody asks why a person has an access.'),
  when: CONDITIONS.default({}).describe('All of them must fit; a rule without conditions fits everyone.'),
  tools: z.array(TOOL_ACCESS, { error: 'must be a list of tools' }).default([]),
  deviceModel: WORD.optional(),
});

/** Who gets what. Stored as it comes out of here, with every default filled in. */
export const ACCESS_POLICY = z.strictObject({
  corporateDomains: z
    .array(DOMAIN, { error: 'must be a list of domains' })
    .min(1, 'must name at least one domain')
    .describe('Accounts are made on addresses in these domains and no others.'),
  rules: z.array(RULE, { error: 'must be a list of rules' }),
});

export type AccessPolicy = z.infer<typeof ACCESS_POLICY>;
export type PolicyRule = AccessPolicy['rules'][number];
export type PolicyConditions = PolicyRule['when'];
