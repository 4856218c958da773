/** Of the files on disk: raised when a directory written before cannot be read any more. */
export const FORMAT_VERSION = 1
