import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { toolsQuery } from '../../api/queries.js';
import { assignmentsQuery, rolesQuery } from '../../api/settings-queries.js';
import type { AskedApproval, RoleAssignment } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Endless } from '../../parts/endless.js';
import { Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Table } from '../../parts/table.js';
import { useMay, useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { GiveRole } from './give-role.js';
import { usePrincipals } from './principals.js';
import { SettingsFrame } from './settings-frame.js';
import { WaitsForApproval } from './waits-for-approval.js';

const words = text.settings.roles;

/** Who may do what here. With two owners a change waits for another person. */
export function RolesPage(): ReactNode {
  const mayChange = useMayEverywhere()('roles:write');
  const query = useInfiniteQuery(assignmentsQuery);
  const principals = usePrincipals();
  const [asked, setAsked] = useState<'give' | RoleAssignment | null>(null);
  const [approval, setApproval] = useState<AskedApproval | null>(null);
  const close = (): void => setAsked(null);
  const done = (edit: { approval: AskedApproval | null }): void => {
    setApproval(edit.approval);
    close();
  };
  return (
    <SettingsFrame words={words}>
      <WaitsForApproval approval={approval} />
      <Section
        title={words.held}
        acts={
          mayChange && (
            <Button size="xs" onClick={() => setAsked('give')}>
              {words.give}
            </Button>
          )
        }
      >
        <Endless query={query} none={words.none}>
          {(assignments) => (
            <Table
              rows={assignments}
              columns={[
                {
                  name: words.who,
                  cell: ({ principal }) => <span className="long">{principals.nameOf(principal)}</span>,
                },
                { name: words.role, cell: ({ role }) => role },
                { name: words.where, cell: (assignment) => <Where assignment={assignment} /> },
                {
                  name: words.given,
                  cell: ({ assignedBy, assignedAt }) => (
                    <>
                      {words.by(assignedBy)} <Instant at={assignedAt} />
                    </>
                  ),
                },
                ...(mayChange
                  ? [
                      {
                        name: text.settings.acts,
                        cell: (assignment: RoleAssignment) => (
                          <Button
                            size="compact-xs"
                            variant="default"
                            onClick={() => setAsked(assignment)}
                            aria-label={text.devices.actOn(
                              words.end,
                              `${assignment.role}, ${principals.nameOf(assignment.principal)}`,
                            )}
                          >
                            {words.end}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )}
        </Endless>
      </Section>
      <Definitions />
      {asked === 'give' && <GiveRole principals={principals} onDone={done} onClose={close} />}
      {asked !== null && asked !== 'give' && (
        <ActDialog
          title={words.endTitle(asked.role, principals.nameOf(asked.principal))}
          verb={words.endVerb}
          danger
          ask={{ label: text.settings.why, description: text.settings.whyMeans, required: true }}
          act={(reason) =>
            answerOf(
              api.POST('/v1/role-assignments/{id}/end', { params: { path: { id: asked.id } }, body: { reason } }),
            )
          }
          onDone={done}
          onClose={close}
        >
          <p>{words.endMeans}</p>
          <p className="dim">{words.twoPeople}</p>
        </ActDialog>
      )}
    </SettingsFrame>
  );
}

function Where({ assignment: { department, location, toolId } }: { assignment: RoleAssignment }): ReactNode {
  const { data: tools } = useQuery({ ...toolsQuery, enabled: useMay()('tools:read') && toolId !== null });
  const within = [
    department !== null && words.inDepartment(department),
    location !== null && words.at(location),
    toolId !== null && words.atTool(tools?.items.find(({ id }) => id === toolId)?.name ?? text.accounts.someTool),
  ].filter((part) => part !== false);
  return within.length === 0 ? words.everywhere : within.join(', ');
}

/** What each role may do, to look up before it is given. */
function Definitions(): ReactNode {
  const query = useQuery(rolesQuery);
  return (
    <Section title={words.definitions}>
      <Loaded query={query}>
        {({ items }) => (
          <ul className="rows">
            {items.map(({ role, purpose, scopes }) => (
              <li key={role} className="role">
                <p>
                  <strong>{role}</strong> · {purpose}
                </p>
                <details className="more">
                  <summary>{words.scopes(scopes.length)}</summary>
                  <p className="long">{scopes.join(', ')}</p>
                </details>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}
