/** Of VS Code's API what the texts of comments ask for: English sentences and a dark theme. */

export const l10n = {
  t: (message: string, ...values: readonly (string | number | boolean)[]): string => message.replace(/\{(\d+)\}/g, (all, index: string) => String(values[Number(index)] ?? all)),
};

export const ColorThemeKind = { Light: 1, Dark: 2, HighContrast: 3, HighContrastLight: 4 } as const;

export const window = { activeColorTheme: { kind: ColorThemeKind.Dark } };
