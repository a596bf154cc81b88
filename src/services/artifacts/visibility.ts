import type { Scope } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import { may } from '../viewer.ts';

export interface ArtifactVisibility {
  /**
   * Whether the viewer may see recordings and transcripts at all: with the permission, and for client users only
   * while the portal switch is on. Which meetings they may see is another question.
   */
  seesArtifacts(scope: Scope): Promise<boolean>;
}

export function createArtifactVisibility(settings: Pick<SettingsService, 'find'>): ArtifactVisibility {
  return {
    async seesArtifacts(scope) {
      if (!may(scope.viewer, 'teams_artifact:read')) return false;
      if (scope.viewer.kind !== 'client') return true;
      return (await settings.find(scope))?.showArtifactsInClientPortal === true;
    },
  };
}
