package main

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"zeroutils/internal/filecopy"
	"zeroutils/internal/tool"
)

// attributes are the words of --preserve and --no-preserve.
var attributes = []string{"mode", "timestamps", "ownership", "links", "context", "xattr", "all"}

const usual = filecopy.Mode | filecopy.Ownership | filecopy.Timestamps

// preserving is what the options say of attributes, one after the other.
type preserving struct {
	kept       filecopy.Attributes
	plainModes bool
	required   filecopy.Attributes // of xattr and context, those that were named
	quiet      bool
	unlabelled bool
}

// preserve decides which attributes copies take over.
func preserve(inv *tool.Invocation, o *filecopy.Options) error {
	var p preserving
	if inv.Flags.Bool("move") {
		p.kept = usual | filecopy.Names | filecopy.Xattrs
	}
	for _, option := range inv.Line.Options {
		switch option.Name {
		case "archive":
			p.kept |= usual | filecopy.Names | filecopy.Xattrs
			p.quiet, p.unlabelled = true, false
		case "d":
			p.kept |= filecopy.Names
		case "p":
			p.kept |= usual
		case "preserve":
			if !option.HasValue {
				p.kept |= usual
			} else if err := p.list("--preserve", option.Value, true); err != nil {
				return err
			}
		case "no-preserve":
			if err := p.list("--no-preserve", option.Value, false); err != nil {
				return err
			}
		}
	}
	o.Preserve, o.PlainModes, o.Unlabelled = p.kept, p.plainModes, p.unlabelled
	switch {
	case p.required&filecopy.Xattrs != 0:
		o.Xattrs = filecopy.RequireXattrs
	case p.quiet:
		o.Xattrs = filecopy.IgnoreXattrs
	}
	return label(inv, o)
}

// list takes a list of attributes, which are to be kept or not.
func (p *preserving) list(option, words string, keep bool) error {
	for given := range strings.SplitSeq(words, ",") {
		word, err := tool.Choice(option, given, attributes)
		if err != nil {
			return err
		}
		switch word {
		case "mode":
			p.set(filecopy.Mode, keep)
			p.plainModes = !keep
		case "timestamps":
			p.set(filecopy.Timestamps, keep)
		case "ownership":
			p.set(filecopy.Ownership, keep)
		case "links":
			p.set(filecopy.Names, keep)
		case "context":
			p.require(filecopy.Context, keep)
			p.unlabelled = !keep
		case "xattr":
			p.require(filecopy.Xattrs, keep)
		case "all":
			p.set(usual|filecopy.Names|filecopy.Xattrs, keep)
			p.plainModes, p.unlabelled = !keep, !keep
		}
	}
	return nil
}

func (p *preserving) set(a filecopy.Attributes, keep bool) {
	p.kept &^= a
	if keep {
		p.kept |= a
	}
}

// require is set for what it is a failure not to keep, if it is named.
func (p *preserving) require(a filecopy.Attributes, keep bool) {
	p.set(a, keep)
	p.required &^= a
	if keep {
		p.required |= a
	}
}

// label decides about SELinux. Without it in the kernel only what cannot be
// ignored is an error, as for cp.
func label(inv *tool.Invocation, o *filecopy.Options) error {
	context, given := inv.Line.Last("context")
	keep := o.Preserve&filecopy.Context != 0
	switch {
	case !given && !keep:
		return nil
	case !hasSELinux():
		if context.HasValue {
			inv.Warnf("warning: ignoring --context; it requires an SELinux-enabled kernel")
		}
		if keep {
			return errors.New("cannot preserve security context without an SELinux-enabled kernel")
		}
		return nil
	case given && keep:
		return errors.New("cannot set target context and preserve it")
	case given && !context.HasValue:
		return errors.New("the default context of a file is for restorecon to find: -Z is not supported on an SELinux-enabled kernel")
	case given:
		o.Label = context.Value
	default:
		o.Xattrs = filecopy.RequireXattrs
	}
	return nil
}

// hasSELinux reports whether the kernel has SELinux, enabled.
func hasSELinux() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/selinux", &fs) == nil && uint32(fs.Type) == unix.SELINUX_MAGIC
}
