import { z } from 'zod';
import type { Jobs, Kernel, Mailer } from '../../kernel/index.ts';
import { invitationMail } from '../mail/words.ts';
import { lookAtInvitation, tokenForMail } from './invitations.ts';

const Payload = z.object({ workspace_id: z.string(), id: z.string() });

/** Mails an invitation. The token is drawn with each mail and stands nowhere else. */
export function registerInvitationJob(jobs: Jobs, kernel: Kernel, mailer: Mailer, webUrl: string): void {
  jobs.handle('identity.invitation_mail', { payload: Payload }, async ({ workspace_id: workspaceId, id }) => {
    const drawn = await kernel.database.inEngine('identity.invitation_mail', tx =>
      tokenForMail(tx, kernel, { workspaceId, id }),
    );
    if (!drawn) return;
    const { workspace, invited_by: inviter, role } = await lookAtInvitation(kernel, drawn.token);
    const link = `${webUrl}/invitation/${drawn.token}`;
    await mailer.send(invitationMail(drawn.email, { workspace: workspace.name, inviter, role, link }));
  });
}
