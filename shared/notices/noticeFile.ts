/** The file in the study folder, at its top, that says what the budget guard and the idle stop have done. */
export const noticeFileName = 'Gazeline notices.md';
