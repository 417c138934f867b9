import { cruise } from 'dependency-cruiser';
import { RULES } from './rules.ts';

/** One import that breaks one rule. */
export interface Breach {
  rule: string;
  reason: string;
  /** The importing file, relative to the root, with `/`. */
  from: string;
  /** What it imports; for a cycle, the whole way round. */
  to: string;
}

const FOLDERS = ['server', 'client', 'simulator', 'bench', 'scripts', 'tools'];

/**
 * Reads every import below `root`, types included, and holds it against the rules.
 * @param folders what to read below `root`; they must exist.
 * @returns the breaches, and how many files were read.
 */
export async function breaches(root: string, folders = FOLDERS): Promise<{ breaches: Breach[]; files: number }> {
  const { output } = await cruise(
    folders,
    {
      baseDir: root,
      ruleSet: { forbidden: [...RULES] },
      validate: true,
      // Types too: what a file knows by type it knows.
      tsPreCompilationDeps: true,
      combinedDependencies: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(^|/)planted/|/node_modules/.+/node_modules/' },
    },
    { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  );
  if (typeof output === 'string') throw new Error('dependency-cruiser gave text where a result was asked for');
  const reasons = new Map(RULES.map((rule) => [rule.name, rule.comment]));
  return {
    files: output.modules.filter((module) => !module.source.includes('node_modules') && !module.coreModule).length,
    breaches: output.summary.violations.map(({ rule, from, to, cycle }) => ({
      rule: rule.name,
      reason: reasons.get(rule.name) ?? '',
      from,
      to: cycle ? cycle.map(({ name }) => name).join(' → ') : to,
    })),
  };
}
