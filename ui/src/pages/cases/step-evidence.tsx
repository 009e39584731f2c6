import { useState, type ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { stepEvidenceQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import { sendFile } from '../../api/send-file.js';
import { Loaded } from '../../parts/loaded.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** The files that somebody left with a step which they did by hand; and a place to leave one. */
export function StepEvidence({ stepId }: { stepId: string }): ReactNode {
  const query = useQuery(stepEvidenceQuery(stepId));
  const mayAdd = useMay()('steps:decide');
  const [problem, setProblem] = useState<unknown>(null);
  const add = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setProblem(null);
    try {
      await sendFile(stepId, file);
      await queryClient.invalidateQueries({ queryKey: stepEvidenceQuery(stepId).queryKey });
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <div className="evidence">
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.map(({ sha256, fileName, addedBy, addedAt }) => (
            <p key={sha256} className="small">
              <a href={`/v1/steps/${stepId}/evidence/${sha256}`} download={fileName}>
                {fileName}
              </a>{' '}
              {text.cases.addedBy(addedBy)} <Instant at={addedAt} />
            </p>
          ))
        }
      </Loaded>
      {mayAdd && (
        <label className="small file">
          {text.cases.addEvidence}{' '}
          <input
            type="file"
            onChange={({ currentTarget: input }) => {
              const file = input.files?.[0];
              // Chosen again, after it couldn't be sent, it is a change.
              input.value = '';
              void add(file);
            }}
          />
        </label>
      )}
      {problem !== null && <ProblemNotice error={problem} ofAct />}
    </div>
  );
}
