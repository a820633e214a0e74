// Package units reads and shows sizes, rates and times: it reads them as the
// tools' options take them, and shows them as dd(1) does.
package units
