package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// mountNFS serves an ext4 to the guest itself, by NFS 4.2.
func (t *try) mountNFS(dir string) (string, error) {
	served := "/mnt/served"
	if err := t.onDisk(served, "ext4", "mkfs.ext4", "-q", "-F"); err != nil {
		return "", err
	}
	for _, dir := range []string{"/var/lib/nfs/v4recovery", "/var/lib/nfs/rpc_pipefs", "/run/rpcbind"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"etab", "rmtab", "xtab", "state"} {
		if err := os.WriteFile("/var/lib/nfs/"+name, nil, 0o644); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile("/etc/exports", []byte(served+" *(rw,sync,no_root_squash,no_subtree_check,insecure,fsid=0)\n"), 0o644); err != nil {
		return "", err
	}
	if err := t.mount("/proc/fs/nfsd", "nfsd", "nfsd", ""); err != nil {
		return "", err
	}
	if err := t.serve("rpc.mountd", "-F", "-N", "3", "-u"); err != nil {
		return "", err
	}
	if err := errors.Join(run("exportfs", "-a"), run("rpc.nfsd", "-N", "3", "-U", "2")); err != nil {
		return "", err
	}
	t.cleanup(func() {
		run("exportfs", "-au")
		run("rpc.nfsd", "0")
	})
	return served, t.mountWhenServed(dir, ":/", "nfs4", "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,minorversion=2")
}

// mountSMB serves an ext4 to the guest itself, by SMB 3.1.1.
func (t *try) mountSMB(dir string) (string, error) {
	served := "/mnt/served"
	if err := t.onDisk(served, "ext4", "mkfs.ext4", "-q", "-F"); err != nil {
		return "", err
	}
	for _, dir := range []string{"/etc/samba", "/var/lib/samba/private", "/var/cache/samba", "/var/log/samba", "/run/samba", "/var/run"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	os.Symlink("/run/samba", "/var/run/samba")
	if err := os.WriteFile("/etc/samba/smb.conf", []byte(`[global]
	server role = standalone server
	map to guest = Never
	disable netbios = yes
	smb ports = 445
	interfaces = 127.0.0.1/8
	load printers = no
	disable spoolss = yes
	log level = 0
	passdb backend = smbpasswd
	min protocol = SMB2
[share]
	path = `+served+`
	read only = no
	force user = root
	ea support = yes
`), 0o644); err != nil {
		return "", err
	}
	add := exec.Command("smbpasswd", "-s", "-a", "root")
	in, err := add.StdinPipe()
	if err != nil {
		return "", err
	}
	fmt.Fprint(in, "secret\nsecret\n")
	in.Close()
	if out, err := add.CombinedOutput(); err != nil {
		return "", fmt.Errorf("smbpasswd: %w: %s", err, out)
	}
	if err := t.serve("smbd", "-F", "--no-process-group"); err != nil {
		return "", err
	}
	return served, t.mountWhenServed(dir, "//127.0.0.1/share", "cifs", "ip=127.0.0.1,unc=\\\\127.0.0.1\\share,user=root,pass=secret,vers=3.1.1,uid=0,gid=0,mfsymlinks")
}

// serve starts a server that is stopped when the test has ended.
func (t *try) serve(name string, args ...string) error {
	server := exec.Command(name, args...)
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	server.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return err
	}
	t.cleanup(func() {
		unix.Kill(-server.Process.Pid, unix.SIGKILL)
		server.Wait()
	})
	return nil
}

// mountWhenServed mounts as soon as the server answers.
func (t *try) mountWhenServed(dir, device, kind, data string) (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		if err = t.mount(dir, device, kind, data); err == nil {
			return nil
		}
	}
	return err
}
