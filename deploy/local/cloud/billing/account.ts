/** The one billing account there is. Google's ids look like this. */
export const accountId = '012345-567890-ABCDEF';
export const accountName = `billingAccounts/${accountId}`;
export const currency = 'USD';
